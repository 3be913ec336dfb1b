#include <dunlin_sim/run/run.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin_sim/checkers/cluster_time_checker.hpp>
#include <dunlin_sim/checkers/coordination_checker.hpp>
#include <dunlin_sim/checkers/peer_health_checker.hpp>
#include <dunlin_sim/faults/aged_journal.hpp>
#include <dunlin_sim/faults/clocks.hpp>
#include <dunlin_sim/faults/foreign_cluster.hpp>
#include <dunlin_sim/story.hpp>

#include <algorithm>
#include <numeric>

namespace dunlin::sim {
namespace {

class Run {
  public:
    explicit Run(const RunPlan& plan)
        : plan_(plan),
          schedule_(fault_schedule(plan.faults, plan.seed, plan.time)),
          world_(plan.seed, plan.nodes + ForeignCluster::kProcesses),
          audit_(world_, verdict_, host_ledger(plan.workload.room), voting(), !schedule_.empty()),
          workload_(world_, verdict_, leases_, audit_, plan.workload) {
        DUNLIN_ASSERT(plan.nodes >= 1 && plan.nodes <= kNodesMax);
        if (audit_.on()) leases_.compare_with(audit_.reference());
        build();
        faults_.emplace(world_, workload_, audit_, DiskWatchers{coordination_, journals_, amnesia_}, schedule_);
    }

    RunReport go() {
        start_at_random_times();
        foreign_.start();
        if (has(FaultKind::foreign_cluster)) await_binding(0);
        faults_->start();
        keep_going(plan_.time, [] { return false; });
        const Instant healing = healed_ = world_.now();
        if (verdict_.clean()) heal();
        if (verdict_.clean()) workload_.finish();
        RunReport result = report();
        result.healed_in = healed_ - healing;
        return result;
    }

  private:
    static constexpr const char* kCluster = "simulated";
    // Nothing is on its way for longer: a clogged line, and a process that stood still for as long as its peers wait.
    static constexpr Duration kPacketAgeMax = seconds{4};

    [[nodiscard]] bool has(FaultKind kind) const {
        return std::ranges::any_of(schedule_, [kind](const Fault& fault) { return fault.name.kind == kind; });
    }
    [[nodiscard]] std::size_t voters() const {
        const std::size_t usual = plan_.nodes >= 7 ? 5 : 3;
        return std::min(plan_.nodes, usual + plan_.workload.more_voters);
    }

    [[nodiscard]] std::vector<std::size_t> voting() const {
        std::vector<std::size_t> processes(voters());
        std::iota(processes.begin(), processes.end(), std::size_t{0});
        return processes;
    }

    void build() {
        Clocks clocks(plan_.seed, plan_.nodes, plan_.time, schedule_);
        Random sectors(plan_.seed ^ 0x736563746f7273U);
        for (std::size_t i = 0; i < plan_.nodes; ++i) {
            const bool votes = i < voters();
            ProcessSetup setup;
            setup.options.id = NodeId{static_cast<std::uint16_t>(i + 1)};
            setup.options.cluster = kCluster;
            setup.options.packet_bytes_max = votes ? plan_.workload.voter_packet_bytes_max : plan_.workload.packet_bytes_max;
            setup.options.attempts_max = plan_.workload.attempts_max;
            if (plan_.workload.ranks) setup.options.election_rank = static_cast<std::uint8_t>(i % (consensus::kElectionRankMax + 1U));
            setup.options.packet_age_max = kPacketAgeMax;
            setup.memory = host_memory(votes, plan_.nodes, plan_.workload.room);
            setup.application = [this, i] { return workload_.make(i); };
            setup.disk_bytes = votes || (i - voters()) % 2 == 0 ? host_disk_bytes(plan_.workload.room) : 0;
            for (std::size_t other = 0; other < plan_.nodes; ++other) {
                if (other != i) setup.seeds.push_back(other);
            }
            clocks.set(setup);
            const std::size_t process = world_.add(std::move(setup));
            world_.process(process).disk.sector_bytes = std::size_t{16} << sectors.below(6);
        }
        world_.found_cluster(voting(), host_ledger(plan_.workload.room));
        for (std::size_t i = voters(); i < plan_.nodes; i += 2) world_.format_member(i);
        world_.network().faults = plan_.network;
        clock_faults_ = clocks.counts();
        for (const Fault& fault : schedule_) {
            if (fault.name.kind == FaultKind::wrap_sequence) number_lanes(fault);
        }
        if (clocks.beyond_bound()) leases_.exclude_nothing();
        if (has(FaultKind::old_datagrams)) world_.network().remember_some();
        // A process that has not met its cluster yet belongs to the first one of its name: a member without a disk, or a newcomer.
        const bool all_bound = plan_.nodes == voters() && !has(FaultKind::wiped_disk);
        if (has(FaultKind::foreign_cluster)) foreign_.build(world_, all_bound ? kCluster : "another");
    }

    // Of the processes with a journal some, as the bits of `other` say, have sent nearly 2^32 messages before.
    void number_lanes(const Fault& fault) {
        std::vector<NodeId> all;
        for (std::size_t i = 0; i < plan_.nodes; ++i) all.push_back(world_.process(i).setup.options.id);
        for (std::size_t i = 0; i < plan_.nodes; ++i) {
            Process& process = world_.process(i);
            if (process.setup.disk_bytes == 0 || (i != 0 && ((fault.other >> i) & 1U) == 0)) continue;
            std::vector<NodeId> peers = all;
            peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(i));
            number_lanes_from(process.disk, peers, Sequence{(std::uint64_t{1} << 32U) - fault.amount});
            ++clock_faults_[index_of(FaultKind::wrap_sequence)];
        }
    }

    void start_at_random_times() {
        for (std::size_t i = 0; i < world_.size(); ++i) {
            world_.at(world_.workload().between(Duration{0}, milliseconds{300}) + Instant{}, [this, i] { world_.start(i); });
        }
    }

    // The other cluster meets this one once every process has belonged to this one for some seconds, so that it will after a crash.
    void await_binding(int seconds_bound) {
        constexpr int kSecondsBound = 3;
        world_.at(world_.now() + seconds{1}, [this, seconds_bound] {
            const int bound = all_bound() ? seconds_bound + 1 : 0;
            if (bound < kSecondsBound) return await_binding(bound);
            foreign_.meet();
        });
    }
    [[nodiscard]] bool all_bound() {
        for (std::size_t i = 0; i < world_.size(); ++i) {
            if (!world_.running(i) || world_.node(i).status(world_.local_now(i)).cluster == ClusterIncarnation{}) return false;
        }
        return true;
    }

    // Until `time` has passed, `done`, or something is wrong.
    template <class Done>
    void keep_going(Duration time, const Done& done) {
        constexpr Duration kSlice = milliseconds{20};
        const Instant end = world_.now() + time;
        while (world_.now() < end && verdict_.clean() && !done()) world_.run_for(std::min(kSlice, end - world_.now()));
    }

    [[nodiscard]] bool at_rest() {
        if (!faults_->members_restored() || !workload_.settled() || !workload_.introduced() || !inboxes_empty()) return false;
        LogIndex applied{};
        bool leader = false;
        for (std::size_t i = 0; i < voters(); ++i) {
            const StatusReport status = world_.node(i).status(world_.local_now(i));
            leader = leader || (status.role == consensus::Role::leader && audit_.leads_with_entry(i));
            if (i != 0 && status.applied != applied) return false;
            applied = status.applied;
        }
        return leader;
    }

    // What never became whole, or was skipped, holds no room for good.
    [[nodiscard]] bool inboxes_empty() {
        for (std::size_t i = 0; i < world_.size(); ++i) {
            if (world_.node(i).status(world_.local_now(i)).inbox_messages != 0) return false;
        }
        return true;
    }

    void heal() {
        faults_->heal();
        foreign_.stop();
        workload_.stop();
        keep_going(plan_.heal_time, [this] { return at_rest(); });
        healed_ = world_.now();
        if (!verdict_.clean()) return;
        verdict_.check(healing_, at_rest(), world_.now(), [this] { return what_is_left(); });
        if (verdict_.clean() && audit_.on()) change_leader();
    }

    // Once more when nobody wants anything: whoever takes over has to commit an entry of its own, and the old leader to follow.
    void change_leader() {
        constexpr Duration kAway = seconds{2};
        constexpr Duration kBound = seconds{10};
        for (std::size_t i = 0; i < voters(); ++i) {
            if (world_.node(i).status(world_.local_now(i)).role != consensus::Role::leader) continue;
            workload_.pausing(i);
            world_.pause(i);
            world_.at(world_.now() + kAway, [this, i] { world_.resume(i); });
            break;
        }
        world_.run_for(kAway);
        keep_going(kBound, [this] { return at_rest(); });
        if (!verdict_.clean()) return;
        verdict_.check(succession_, at_rest(), world_.now(), [this] { return what_is_left(); });
    }

    [[nodiscard]] std::string what_is_left() {
        std::string text = std::to_string(workload_.delivery().open()) + " publishes wait for outcomes;";
        for (std::size_t i = 0; i < world_.size(); ++i) {
            const StatusReport status = world_.node(i).status(world_.local_now(i));
            text += " process " + std::to_string(i) + ": state " + std::to_string(static_cast<int>(status.state)) + " role " +
                    std::to_string(static_cast<int>(status.role)) + " term " + std::to_string(status.term.value()) + " commit " +
                    std::to_string(status.commit.value()) + " applied " + std::to_string(status.applied.value()) + " sessions " +
                    std::to_string(status.sessions_open) + " outbox " + std::to_string(status.outbox_messages) + " inbox " +
                    std::to_string(status.inbox_messages) + ";";
        }
        return text;
    }

    [[nodiscard]] FaultCounts fault_counts() const {
        FaultCounts counts = faults_->counts();
        for (std::size_t i = 0; i < kFaultKindCount; ++i) counts[i] += clock_faults_[i];
        const auto foreign = static_cast<std::size_t>(Counter::packets_foreign_cluster);
        counts[index_of(FaultKind::foreign_cluster)] = workload_.counters()[foreign];
        return counts;
    }

    [[nodiscard]] RunReport report() {
        RunReport report;
        report.seed = plan_.seed;
        report.hash = world_.hash();
        report.time = world_.now() - Instant{};
        report.node_time = report.time * static_cast<std::int64_t>(plan_.nodes);
        report.events = world_.events();
        report.network = world_.network().counts();
        report.faults = fault_counts();
        report.schedule = schedule_;
        report.workload = workload_.counts();
        report.publishes = workload_.delivery().publishes();
        report.deliveries = workload_.delivery().deliveries();
        report.repeats = workload_.delivery().repeats();
        for (std::size_t i = 0; i < report.outcomes.size(); ++i)
            report.outcomes[i] = workload_.delivery().outcomes(static_cast<Outcome>(i));
        report.leaders = coordination_.leaders();
        report.lease_grants = leases_.grants();
        report.puts = workload_.ledger().puts();
        report.gets = workload_.ledger().gets();
        report.calls_unanswered = workload_.ledger().unanswered();
        report.shared_puts = workload_.commands().puts();
        report.shared_gets = workload_.commands().gets();
        report.puts_evicted = workload_.commands().evicted();
        for (std::size_t i = 0; i < world_.size(); ++i) report.syncs += world_.process(i).disk.syncs();
        report.counters = workload_.counters();
        report.marks = marks_hit(report.counters, audit_.configurations().news());
        report.checks = verdict_.tallies();
        report.violations = verdict_.violations();
        report.invariant = verdict_.first_violated();
        if (!verdict_.clean()) report.last_events = story_.last();
        return report;
    }

    RunPlan plan_;
    std::vector<Fault> schedule_;
    Verdict verdict_;
    World world_;
    Story story_{world_, plan_.trace};
    CoordinationChecker coordination_{world_, verdict_};
    JournalChecker journals_{world_, verdict_};
    AmnesiaChecker amnesia_{world_, verdict_};
    ForeignCluster foreign_{verdict_};
    Audit audit_;
    LeaseChecker leases_{world_, verdict_};
    PeerHealthChecker health_{world_, verdict_};
    Workload workload_;
    ClusterTimeChecker cluster_times_{world_, verdict_, audit_.durable()};
    std::optional<Faults> faults_;
    FaultCounts clock_faults_{};
    Instant healed_{};  // when all was at rest again
    Verdict::Invariant healing_ = verdict_.expect("the cluster heals");
    Verdict::Invariant succession_ = verdict_.expect("another voter takes over", Verdict::Occasion::rare);
};

}  // namespace

RunReport run(const RunPlan& plan) { return Run(plan).go(); }

}  // namespace dunlin::sim
