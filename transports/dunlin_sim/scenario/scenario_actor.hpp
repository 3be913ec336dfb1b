#pragma once

#include <dunlin_sim/scenario/scenario_stage.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dunlin::sim {

// The application of one node in a scenario, for one life of its process: it does what the story says, goes on after a
// restart where its journal says it was, and tells the checkers.
class ScenarioActor final : public Application {
  public:
    ScenarioActor(ScenarioStage& stage, std::size_t process) : stage_(stage), process_(static_cast<std::uint32_t>(process)) {}

    void on_start(const Context& context) override;
    void on_event(const Context& context, const Event& event) override;
    void on_timer(const Context& context) override;
    void ending();  // of this life

    [[nodiscard]] bool ready() const { return ready_; }

    // Subscribes to what the part lists there.
    [[nodiscard]] Status listen(std::size_t listening);
    [[nodiscard]] bool stop_listening(const std::string& filter);  // false: it does not listen to that
    // Publishes what was ordered, once it is ready and as far as there is room; the rest later. Not ok: the node refused it for
    // another reason.
    [[nodiscard]] Status publish_rest();
    [[nodiscard]] Status acquire(const std::string& lease, Duration ttl);
    [[nodiscard]] bool release(const std::string& lease);  // false: it never asked for it
    [[nodiscard]] bool holds(const std::string& lease);
    [[nodiscard]] Token token(const std::string& lease) const;  // that it holds, or held last; 0: it never did
    [[nodiscard]] Status put(const std::string& key, const std::string& value);
    [[nodiscard]] Status get(const std::string& key);
    [[nodiscard]] Status change_member(consensus::ChangeOp op, std::size_t about);
    // The value that the last get() brought, `nothing`, or in brackets why there is none; empty: no answer yet.
    [[nodiscard]] const std::string& answer() const { return answer_; }

  private:
    struct Ear {
        ScenarioActor* actor;
        std::size_t listening;
        Receiver receiver;
    };
    struct Lease {
        ledger::LeaseHandle handle{};
        Token token{};
    };
    struct Call {
        std::string key;
        bool put;
    };

    [[nodiscard]] World& world() const { return stage_.world; }
    [[nodiscard]] Node& node() const { return stage_.world.node(process_); }
    [[nodiscard]] Instant local_now() const { return stage_.world.local_now(process_); }
    [[nodiscard]] Part& part() const { return stage_.parts[process_]; }
    [[nodiscard]] bus::Verdict hear(const Ear& ear, const bus::Message& message);
    [[nodiscard]] Status publish_next();
    void on_started();
    void on_request_done(const Event& event);

    ScenarioStage& stage_;
    std::uint32_t process_;
    bool ready_ = false;
    std::uint64_t number_ = 0;  // of the last publish
    std::vector<std::unique_ptr<Ear>> ears_;
    std::map<std::string, Lease> leases_;
    std::map<std::uint32_t, Call> calls_;  // by request
    std::optional<RequestId> change_;      // of members, under way
    std::string answer_;
};

}  // namespace dunlin::sim
