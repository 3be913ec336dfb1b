#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dunlin::sim {

// Everything that can go wrong in a simulated run, in one list. What each is stands in fault_kind.cpp, where an enumerator
// added here gets its name, its group and its meaning; how often it comes and how bad it is, in fault_schedule.cpp.
enum class FaultKind : std::uint8_t {
    // Network
    delay,
    loss,
    duplication,
    reordering,
    corruption,
    thin_line,
    short_path,
    clog,
    isolation,
    one_way_cut,
    split,
    bridge,
    ring,
    old_datagrams,
    foreign_cluster,
    bare_append,
    // Processes
    leader_crash,
    crash,
    handler_crash,
    start_crash,
    power_cut,
    absence,
    pause,
    slow_process,
    contested_election,
    shutdown,
    // Clocks
    rate_error,
    rate_beyond,
    wrap_us,
    wrap_ms,
    wrap_sequence,
    // Disks
    lost_write,
    torn_write,
    rot_tail,
    rot_middle,
    slow_sync,
    full_disk,
    wiped_disk,
    hung_leader,
    // An operator
    membership,
    count_
};
inline constexpr std::size_t kFaultKindCount = static_cast<std::size_t>(FaultKind::count_);
inline constexpr FaultKind kFirstFaultKind{};

struct FaultKindInfo {
    std::string_view name;     // as the enumerator
    std::string_view group;    // network, process, clock, disk or operator
    std::string_view meaning;  // what one event of it is
};
[[nodiscard]] const FaultKindInfo& info(FaultKind kind);
[[nodiscard]] std::optional<FaultKind> fault_kind(std::string_view name);

// A set of kinds, and how often each happened.
using FaultSet = std::bitset<kFaultKindCount>;
using FaultCounts = std::array<std::uint64_t, kFaultKindCount>;
[[nodiscard]] constexpr std::size_t index_of(FaultKind kind) { return static_cast<std::size_t>(kind); }

// `none`, `all`, a group, or one kind; nothing: there is none of that name.
[[nodiscard]] std::optional<FaultSet> faults_named(std::string_view name);
// All names that faults_named() knows, for whoever has to choose one.
[[nodiscard]] std::string fault_names();

}  // namespace dunlin::sim
