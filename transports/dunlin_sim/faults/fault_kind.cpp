#include <dunlin_sim/faults/fault_kind.hpp>

namespace dunlin::sim {
namespace {

// In the order of the enumerators.
constexpr std::array<FaultKindInfo, kFaultKindCount> kInfos{{
    {"delay", "network", "datagrams on a slow network"},
    {"loss", "network", "datagrams lost"},
    {"duplication", "network", "datagrams delivered twice"},
    {"reordering", "network", "datagrams delayed beyond jitter"},
    {"corruption", "network", "datagrams with a bit flipped"},
    {"thin_line", "network", "datagrams queued or dropped by a line of little bandwidth"},
    {"short_path", "network", "times that long datagrams began to vanish (MTU drop)"},
    {"clog", "network", "links clogged, one way"},
    {"isolation", "network", "processes cut off from all others"},
    {"one_way_cut", "network", "links cut one way"},
    {"split", "network", "clusters split in two"},
    {"bridge", "network", "clusters in two parts that one process alone joins"},
    {"ring", "network", "clusters where each hears its two neighbours alone"},
    {"old_datagrams", "network", "datagrams of long ago delivered again"},
    {"foreign_cluster", "network", "packets refused because they were another cluster's"},
    {"bare_append", "network", "appends that ask about an earlier entry, bring none, and say all that is committed"},
    {"leader_crash", "process", "crashes of the leader"},
    {"crash", "process", "crashes of anybody"},
    {"handler_crash", "process", "crashes inside a handler"},
    {"start_crash", "process", "crashes within milliseconds of a start"},
    {"power_cut", "process", "crashes of all at once"},
    {"absence", "process", "crashes that keep a process away behind the log's ring"},
    {"pause", "process", "processes that stood still for a while"},
    {"slow_process", "process", "processes that handled everything late for a while"},
    {"contested_election", "process", "leaders that stood still for about an election, while all disks were slow"},
    {"shutdown", "process", "processes told to shut down, half of them the leader"},
    {"rate_error", "clock", "clocks off by up to the bound"},
    {"rate_beyond", "clock", "clocks off by more than the bound"},
    {"wrap_us", "clock", "clocks that passed 2^32 microseconds"},
    {"wrap_ms", "clock", "clocks that passed 2^32 milliseconds"},
    {"wrap_sequence", "clock", "processes whose messages passed number 2^32"},
    {"lost_write", "disk", "unsynced writes that a crash lost"},
    {"torn_write", "disk", "unsynced writes of which a crash kept a part"},
    {"rot_tail", "disk", "bits flipped in what was never synced"},
    {"rot_middle", "disk", "bits flipped in what was synced"},
    {"slow_sync", "disk", "disks whose syncs took long for a while"},
    {"full_disk", "disk", "disks that took no write for a while"},
    {"wiped_disk", "disk", "starts with a disk that was blank, or a newcomer's"},
    {"hung_leader", "disk", "leaders whose disk was at one sync for seconds"},
    {"membership", "operator", "rounds of changes: voters that left and came back, or another one that was to lead"},
}};

constexpr bool named() {
    for (const FaultKindInfo& each : kInfos) {
        if (each.name.empty()) return false;
    }
    return true;
}
static_assert(named(), "every FaultKind has one row here, in the order of the enumerators");

}  // namespace

const FaultKindInfo& info(FaultKind kind) { return kInfos[index_of(kind)]; }

std::optional<FaultKind> fault_kind(std::string_view name) {
    for (std::size_t i = 0; i < kFaultKindCount; ++i) {
        if (kInfos[i].name == name) return static_cast<FaultKind>(i);
    }
    return std::nullopt;
}

std::optional<FaultSet> faults_named(std::string_view name) {
    FaultSet set;
    for (std::size_t i = 0; i < kFaultKindCount; ++i) set[i] = name == "all" || kInfos[i].group == name || kInfos[i].name == name;
    if (set.none() && name != "none") return std::nullopt;
    return set;
}

std::string fault_names() {
    std::string names = "none, all";
    std::string_view group;
    for (const FaultKindInfo& each : kInfos) {
        names += each.group == group ? ", " : "; " + std::string(each.group) + ": ";
        names += each.name;
        group = each.group;
    }
    return names;
}

}  // namespace dunlin::sim
