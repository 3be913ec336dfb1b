#pragma once

#include <dunlin_sim/checkers/amnesia_checker.hpp>
#include <dunlin_sim/checkers/audit.hpp>
#include <dunlin_sim/checkers/cluster_time_checker.hpp>
#include <dunlin_sim/checkers/coordination_checker.hpp>
#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/departure_checker.hpp>
#include <dunlin_sim/checkers/journal_checker.hpp>
#include <dunlin_sim/checkers/lease_checker.hpp>
#include <dunlin_sim/checkers/ledger_checker.hpp>
#include <dunlin_sim/checkers/peer_health_checker.hpp>
#include <dunlin_sim/faults/foreign_cluster.hpp>
#include <dunlin_sim/scenario/scenario.hpp>
#include <dunlin_sim/world.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace dunlin::sim {

class ScenarioActor;

// What the story told a node's application, and what came of it. It outlives the process.
struct Part {
    struct Listening {
        std::string filter;
        std::uint32_t durable_id = 0;
        std::string fence;
        std::set<MessageKey> seen{};
        bool ended = false;
    };
    struct Order {
        std::string topic;
        std::string lease;
        Token token{};
        Duration lasting{};
    };
    std::vector<Listening> listening{};
    std::vector<Order> orders{};  // publishes, by number - 1; the journal's position says how many were made
    std::uint32_t journals = 0;   // of earlier journals: numbers begin anew with each
    std::uint64_t delivered = 0;
    std::uint64_t duplicates = 0;
    std::string last_put = "none";
    std::string last_change = "none";  // of members, that it asked for
    std::string stopped = "runs on";   // or why it failed by itself
    bool conflict = false;

    void forget() {  // without its journal it begins anew
        orders.clear();
        ++journals;
    }
};

// All values that were put to one key; the checker knows each by its number, from 1.
struct KeyHistory {
    KeyHistory(Verdict& verdict, Duration timeout) : checker(verdict, timeout) {}
    [[nodiscard]] std::uint64_t number_of(const std::string& value) const;  // 0: it was never put
    LedgerChecker checker;
    std::vector<std::string> values{};
    bool putting = false;  // the checker wants puts one after the other
};

// The world of a scenario, with an actor at each node, every checker, and what the story may ask about.
class ScenarioStage final : public Observer {
  public:
    explicit ScenarioStage(const Scenario& scenario);

    World world;
    Verdict verdict{};
    CoordinationChecker coordination{world, verdict};
    JournalChecker journals{world, verdict};
    AmnesiaChecker amnesia{world, verdict};
    ForeignCluster strangers{verdict};
    Audit audit;
    LeaseChecker leases{world, verdict};
    DeliveryChecker delivery{verdict};
    DepartureChecker departures{world, verdict, delivery};
    PeerHealthChecker health{world, verdict};
    ClusterTimeChecker cluster_times{world, verdict, audit.durable()};
    const std::size_t voters;  // the first ones
    std::vector<Part> parts;
    std::map<std::string, KeyHistory> keys{};

    [[nodiscard]] ScenarioActor& actor(std::size_t process);
    [[nodiscard]] KeyHistory& key(const std::string& name);
    [[nodiscard]] StatusReport status(std::size_t process) { return world.node(process).status(world.local_now(process)); }
    // The process that leads: in the highest term, where several think so. size(): nobody.
    [[nodiscard]] std::size_t leader();
    [[nodiscard]] std::size_t holder(const std::string& lease);

    // Copies of what it sends from now on; repeat(): all of them are sent once more.
    void keep(std::size_t process) { kept_from_.insert(process); }
    void repeat(std::size_t process);

    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;
    void pausing(std::size_t process);  // before World::pause()
    // While it is down: its journal is gone, and all that its application had to say with it.
    void wipe(std::size_t process);

  private:
    static constexpr const char* kCluster = "scenario";
    void number_lanes(std::size_t process, Sequence next);

    struct Copy {
        std::size_t from, to;
        std::vector<std::byte> bytes;
    };
    static constexpr std::size_t kCopiesMax = 10'000;  // of all nodes together
    std::set<std::size_t> kept_from_;
    std::vector<Copy> copies_;
};

}  // namespace dunlin::sim
