#pragma once

#include <dunlin_sim/checkers/reference_ledger.hpp>
#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <dunlin/wire/record.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace dunlin::sim {

// Watches leases and their holders, on true time:
//   one valid holder a lease           whenever a process's lease becomes or stays valid, nobody else's view of that lease is
//   tokens only grow                   each grant of a lease has a higher token than the one before
//   a lease outlasts its holder's view   (with a reference) a holder ends before the ledger could give the lease to somebody else, however
//                                      fast the voters' clocks run within their bound
//   validity counts from the request   (with a reference) no longer than the ttl, less both clocks' rate bounds and the guard, on the holder's
//                                      clock from when it first sent what was answered; of processes that do not vote, who ask others
//   who leaves holds no lease          (with a reference) who drained has released what it was granted in this life, unless it ran out meanwhile
class LeaseChecker final : public Observer {
  public:
    LeaseChecker(World& world, Verdict& verdict);

    // This process wants this lease under this handle; call when the application asked for it.
    void wants_lease(std::size_t process, const std::string& name, ledger::LeaseHandle handle);
    // From now on views are held against what is committed, also where nobody else wants the lease.
    void compare_with(const ReferenceLedger& reference) { reference_ = &reference; }

    // Some clock is beyond its bound: then leases exclude nobody, and tokens alone protect.
    void exclude_nothing() { excludes_ = false; }

    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;
    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_step(Instant at, std::size_t process, const Node& node) override;
    void on_drained(Instant at, std::size_t process, const Node& node, Duration took) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;

    [[nodiscard]] std::uint64_t grants() const { return grants_; }

  private:
    // What a process has asked for of a lease in this life. The ids of what it asks for ascend.
    struct Asked {
        std::uint64_t session = 0;
        std::uint64_t sequence = 0;  // of the last acquire
        std::uint64_t renewal = 0;   // the last one
        Instant first_sent{};        // of the last of all these, on its clock
        Duration ttl{};              // the longest
    };
    struct Want {
        std::size_t lease;  // into leases_
        ledger::LeaseHandle handle;
        Asked asked{};
        Instant valid_until{};    // as last seen
        std::uint64_t token = 0;  // granted last
    };
    struct Lease {
        std::string name;
        std::uint64_t token = 0;  // highest granted
        std::size_t holder = 0;   // to which process
    };
    void note_asked(Instant now, std::vector<Want>& wants, const wire::Record& record);
    void check_validity(Instant at, std::size_t process, const Want& mine);
    void check_exclusion(Instant at, std::size_t process, const Want& mine);
    void check_margin(Instant at, std::size_t process, const Want& mine, const ledger::LeaseView& view);
    [[nodiscard]] bool time_of_leader(ClusterTime& time) const;
    [[nodiscard]] std::size_t lease_named(const std::string& name);
    [[nodiscard]] std::vector<Want>& wants_of(std::size_t process);

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant exclusion_, token_, margin_, validity_, released_;
    const ReferenceLedger* reference_ = nullptr;
    std::vector<Lease> leases_;
    std::vector<std::vector<Want>> wants_;  // by process
    std::vector<bool> votes_;               // by process, as it was seen to
    std::uint64_t grants_ = 0;
    bool excludes_ = true;
};

}  // namespace dunlin::sim
