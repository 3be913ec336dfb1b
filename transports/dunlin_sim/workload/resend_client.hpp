#pragma once

#include <dunlin_sim/application.hpp>
#include <dunlin_sim/checkers/delivery_checker.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace dunlin::sim {

class Workload;

// Effects that processes want to be had once, and publish again and again under one key.
struct ResendPlan {
    Duration every = milliseconds{600};  // by each process: a new effect, or one that some process wanted lately; 0: none
    Duration lifetime = seconds{2};      // from the first copy to the deadline of all
    bool prolonged = false;              // some later copies may come long after that deadline, and so may those that follow them
};

// What a process does with such effects, in one life: publishes its own and those of others, once more shortly before the
// deadline, and has them. Its owner passes on time, messages and events.
class ResendClient {
  public:
    static constexpr std::string_view kTopic = "again";

    ResendClient(Workload& shared, std::uint32_t process) : shared_(shared), process_(process) {}

    void start(Instant now);
    [[nodiscard]] Instant due() const;  // when to call work()
    void work(const Context& context);
    // The effect that the message is a copy of; 0: it is none that anybody published.
    [[nodiscard]] std::uint64_t number_of(const bus::Message& message) const;
    [[nodiscard]] bus::Verdict handle(const Receiver& receiver, std::uint64_t number, const bus::Message& message);
    // False: of another publish.
    [[nodiscard]] bool on_outcome(const Event& event);

  private:
    using Payload = std::array<std::byte, 48>;  // its number, and zeros
    [[nodiscard]] static Payload payload_of(std::uint64_t number);

    struct Waiting {  // a handler said `pending`
        Instant until{};
        bus::CompletionId completion{};
        std::uint64_t number = 0;
        Receiver receiver{};
    };
    struct LastCopy {
        Instant at{};
        std::uint64_t number = 0;
    };
    void publish(Instant now, std::uint64_t number);
    void publish_any(Instant now);
    void publish_last(Instant now, std::uint64_t number);
    void complete(const Context& context, const Waiting& waiting);
    void keep_effect(const Receiver& receiver, std::uint64_t number);

    Workload& shared_;
    std::uint32_t process_;
    Instant publish_at_ = kNever;
    std::vector<LastCopy> last_;
    std::vector<Waiting> waiting_;
    std::vector<std::uint64_t> retried_;
};

}  // namespace dunlin::sim
