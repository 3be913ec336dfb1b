#pragma once

#include "consensus/voter_process.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace dunlin::consensus::test {

// What the network and the disks do, as chances in a thousand and times in milliseconds.
struct Weather {
    unsigned loss = 0;
    unsigned duplication = 0;
    std::int64_t delay_min_ms = 1;
    std::int64_t delay_max_ms = 3;
    std::int64_t disk_max_ms = 2;  // of each device operation
    std::size_t log_entries = 32;
};

// N nodes in one thread on virtual time, from one seed. After every input it checks what no voter can see (see check()).
class Cluster {
  public:
    // Nodes 0..founders - 1 are the cluster that was bootstrapped; `others` more run beside it and are no members yet.
    Cluster(std::size_t founders, std::uint64_t seed, const Weather& weather = {}, std::size_t others = 0);

    void run(Duration duration);
    // Runs until `done`, at most `limit`; whether it came to that.
    template <class Condition>
    bool run_until(Condition done, Duration limit = seconds{10}) {
        const Instant end = now_ + limit;
        bool reached = done();
        while (!reached && now_ < end) {
            step(end);
            reached = done();
        }
        return reached;
    }

    [[nodiscard]] std::size_t size() const { return hosts_.size(); }
    [[nodiscard]] Consensus& voter(std::size_t i) { return hosts_[i].process->consensus; }
    [[nodiscard]] VoterProcess& process(std::size_t i) { return *hosts_[i].process; }
    [[nodiscard]] bool up(std::size_t i) const { return hosts_[i].process != nullptr; }
    [[nodiscard]] static NodeId id(std::size_t i) { return NodeId{static_cast<std::uint16_t>(i + 1)}; }
    [[nodiscard]] StorageId storage(std::size_t i) const { return hosts_[i].storage; }
    // The leader of the highest term among those that run; size() where there is none.
    [[nodiscard]] std::size_t leader();
    [[nodiscard]] bool has_leader() { return leader() < size(); }
    [[nodiscard]] Instant now() const { return now_; }

    void crash(std::size_t i);
    void restart(std::size_t i);
    void wipe(std::size_t i);  // of a crashed one: formatted again, with a new StorageId
    void cut(std::size_t from, std::size_t to, bool cut = true) { cut_[from * size() + to] = cut; }  // one way
    void isolate(std::size_t i, bool cut_off = true);
    void heal() { cut_.assign(cut_.size(), false); }
    Weather& weather() { return weather_; }

    // A command of its own name at the leader of the highest term; whether it was accepted.
    bool propose();
    // A change of node i at the leader of the highest term.
    Status change(ChangeOp op, std::size_t i);
    // What node i is, as the last committed entry says.
    [[nodiscard]] Standing standing(std::size_t i) const;
    // A read wherever somebody believes to lead.
    void read();
    [[nodiscard]] bool converged();  // all members that run have applied the same, and everything
    [[nodiscard]] std::size_t committed() const { return committed_.size(); }
    [[nodiscard]] std::uint32_t total(Counter counter) const;

    struct Checks {
        std::uint64_t elections = 0, matching = 0, completeness = 0, durable = 0, applied = 0, reads = 0, terms = 0;
    };
    Checks checks;
    std::vector<std::string> violations;

  private:
    struct Host {
        StorageId storage{};
        std::unique_ptr<MemoryDevice> device;
        std::unique_ptr<VoterProcess> process;
        std::uint64_t life = 0;
        bool disk_busy = false;
        DeviceOp op{};
        Term told{};     // highest term that left in a packet
        Term leading{};  // term for which completeness was checked
        LogIndex commit{};
        std::vector<std::uint64_t> durable_terms;  // by index - 1: what is durable on its disk
        std::array<std::uint32_t, kCounterCount> past{};
    };
    struct Pending {  // a datagram, or (no bytes) a device operation that completes
        std::size_t from = 0, to = 0;
        std::uint64_t life = 0;
        StorageId storage{};
        std::vector<std::byte> bytes;
    };
    struct PendingRead {
        std::size_t host;
        std::uint64_t life;
        ReadTicket ticket;
        std::size_t committed;
    };
    struct Fact {
        std::uint64_t term = 0, hash = 0;
    };

    void step(Instant limit);
    void arrive(const Pending& pending);
    void after_input(std::size_t i);
    void send(std::size_t i);
    void start_disk(std::size_t i);
    void note_durable(Host& host);
    void check(std::size_t i);
    void check_matching(std::size_t i);
    void on_apply(std::size_t i, const Entry& entry);
    [[nodiscard]] bool survives(std::size_t at, std::uint64_t term, const std::vector<Member>& members) const;
    [[nodiscard]] bool survives_where_it_counts(std::size_t i, std::size_t at, std::uint64_t term) const;
    void violate(const std::string& what) { violations.push_back(what + " at " + std::to_string(to_us(now_.time_since_epoch())) + " us"); }
    [[nodiscard]] ConsensusOptions options(std::size_t i) const;
    [[nodiscard]] std::vector<std::byte> bootstrap() const;

    Weather weather_;
    Random random_;
    Instant now_{};
    std::uint64_t order_ = 0;
    std::uint64_t proposed_ = 0;
    std::vector<Host> hosts_;
    std::vector<Member> founders_;
    std::vector<bool> cut_;
    std::map<std::pair<Instant, std::uint64_t>, Pending> queue_;
    std::vector<PendingRead> reads_;
    std::map<Term, std::size_t> leaders_;
    std::vector<Fact> committed_;  // by index - 1, with the machine's hash before it
    Machine truth_;                // all of it applied
    std::map<std::uint64_t, std::uint64_t> state_hash_;
};

}  // namespace dunlin::consensus::test
