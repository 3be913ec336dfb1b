#pragma once

#include <dunlin_sim/application.hpp>
#include <dunlin_sim/workload/key_client.hpp>
#include <dunlin_sim/workload/lease_client.hpp>
#include <dunlin_sim/workload/resend_client.hpp>
#include <dunlin_sim/workload/workload.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace dunlin::sim {

// One process of the standard workload, for one life.
class Worker final : public Application {
  public:
    Worker(Workload& shared, std::size_t process);

    void on_start(const Context& context) override;
    void on_event(const Context& context, const Event& event) override;
    void on_timer(const Context& context) override;

  private:
    struct Subscription {
        Worker* worker;
        Receiver receiver;
        std::string_view fence;  // the lease that it guards; empty: none
    };
    struct Waiting {  // a handler said `pending`
        Instant until{};
        bus::CompletionId completion{};
        MessageKey key{};
        Receiver receiver{};
    };

    // nullptr: no room; rows of ended subscriptions wait until every peer knows.
    Subscription* subscribe(const Context& context, const std::string& filter, std::uint32_t durable_id, std::string_view fence);
    [[nodiscard]] bus::Verdict handle(const Subscription& subscription, const bus::Message& message);
    void check_fence(const Subscription& subscription, const bus::Message& message);
    [[nodiscard]] bus::Verdict decide(const Receiver& receiver, const MessageKey& key, const bus::Message& message);
    void on_started(const Context& context);
    void listen_durably(const Context& context);
    void publish_flow(Instant now);
    void publish(Instant now, const std::string& topic, std::string_view lease, Token token);
    void echo(const MessageKey& key);
    void change_subscriptions(const Context& context);
    void keep_effect(const Receiver& receiver, const MessageKey& key);
    void on_outcome(const Event& event);
    void complete_waiting(const Context& context);
    void work_on_key(const Context& context);
    void on_request_done(const Context& context, const Event& event);
    [[nodiscard]] Duration up_to(Duration longest);
    [[nodiscard]] bool contends() const;
    [[nodiscard]] bool guards() const;
    [[nodiscard]] bool has_effects() const { return process_ == 0 || process_ + 1 == world_.size(); }
    [[nodiscard]] bool puts() const { return process_ + 1 == world_.size(); }
    [[nodiscard]] bool gets() const { return process_ < 2; }

    Workload& shared_;
    World& world_;
    std::uint32_t process_;
    std::uint32_t life_ = 0;  // of its process
    bool journalled_ = false;
    bool started_ = false;
    std::uint64_t number_ = 0;  // of the last publish
    std::uint64_t flows_ = 0;   // publishes tried under its own topics
    std::string topic_;
    Lamport seen_{};  // by its handlers
    std::vector<std::unique_ptr<Subscription>> subscriptions_;
    std::vector<Waiting> waiting_;
    std::map<std::pair<MessageKey, std::uint32_t>, std::uint64_t> retried_;  // how often

    Subscription* extra_ = nullptr;  // the one that comes and goes
    KeyClient keys_;
    ResendClient resends_;

    Instant publish_at_ = kNever;
    Instant churn_at_ = kNever;
    Instant listen_at_ = kNever;  // with the durable subscription to flows
    Instant key_at_ = kNever;
    std::vector<LeaseClient> leases_;
    RequestId request_{};  // put or get under way
};

}  // namespace dunlin::sim
