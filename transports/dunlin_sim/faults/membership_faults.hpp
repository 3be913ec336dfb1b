#pragma once

#include <dunlin_sim/checkers/audit.hpp>
#include <dunlin_sim/faults/fault_schedule.hpp>
#include <dunlin_sim/world.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace dunlin::sim {

// An operator who changes the members while all else goes on, through the ledger client of one voter or another: some are demoted
// or removed, and come back as learners and voters on the storage that they have had, or another one is to lead. One fault is
// one round of that; none begins before the last one is over, and each leaves two voters at least.
// What is refused or stays unanswered is asked for again; the next one is now and then asked for too early.
class MembershipFaults final : public Observer {
  public:
    // `world` has found its cluster.
    MembershipFaults(World& world, Audit& audit, FaultCounts& counts);

    void strike(const Fault& fault);
    // From now on all voters of the beginning are brought back; restored(): they are.
    void heal();
    [[nodiscard]] bool restored();
    // Whether this voter was to be removed some time: who is no member may have another storage under its id.
    [[nodiscard]] bool removed(std::size_t process) const { return (removed_ & set_of(process)) != 0; }

    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;
    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

  private:
    struct Step {
        consensus::ChangeOp op{};  // none of them: it is to lead
        std::size_t process = 0;
        friend bool operator==(const Step&, const Step&) = default;
    };
    struct Asked {
        Step step{};
        std::size_t process = 0;
        RequestId request{};
        Instant until{};
    };
    void begin(std::size_t one, std::size_t other, std::uint64_t round);
    void work_in(Duration pause);
    void work();
    void ask(const Step& step);
    [[nodiscard]] Result<RequestId> ask(std::size_t through, const Step& step);
    void restore();
    [[nodiscard]] consensus::Standing standing(std::size_t process);
    [[nodiscard]] bool done(const Step& step);
    [[nodiscard]] bool on_own_disk(std::size_t process);
    [[nodiscard]] std::optional<std::size_t> asker();
    [[nodiscard]] std::size_t voter(std::uint32_t number, bool leads);

    World& world_;
    Audit& audit_;
    FaultCounts& counts_;
    std::vector<std::size_t> voters_;  // of the beginning
    std::vector<StorageId> storages_;  // theirs
    std::deque<Step> steps_;
    std::optional<Asked> asked_;
    Duration pause_{};         // between two steps
    std::size_t turn_ = 0;     // who is asked next
    std::uint64_t works_ = 0;  // the work that counts; others that wait in the queue are void
    Processes removed_ = 0;
    bool healed_ = false;
};

}  // namespace dunlin::sim
