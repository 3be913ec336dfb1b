#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin_sim/faults/fault_kind.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin::sim {

// Names one fault of a seed: the kind, and its number among those of that kind, from 1. As text: `crash.3`.
struct FaultName {
    FaultKind kind{};
    std::uint32_t number = 0;
    friend bool operator==(const FaultName&, const FaultName&) = default;
};
[[nodiscard]] std::string to_string(const FaultName& name);
[[nodiscard]] std::optional<FaultName> fault_name(std::string_view text);

// Something that goes wrong at a moment that was decided before the run.
struct Fault {
    FaultName name{};
    Instant at{};              // true time; 0 for kinds that last from the beginning to the end
    Duration length{};         // how long it lasts, or the process is down
    std::uint32_t one = 0;     // whom it concerns: taken modulo the number of processes
    std::uint32_t other = 0;   // and whom else
    std::uint64_t amount = 0;  // how bad it is, in the kind's own unit: see fault_schedule.cpp
};

// Kinds of rounds that an operator makes: see MembershipFaults.
inline constexpr std::uint64_t kMembershipRounds = 5;

// What goes wrong in a run.
struct FaultPlan {
    // Swarm testing (Groce et al., 2012): each of these is on in about half of all seeds, at a rate that the seed decides.
    FaultSet drawn{};
    // Mean pause between two of a kind that is on in every seed; 0: not on for this reason.
    std::array<Duration, kFaultKindCount> every{};
    // Only these happen, of all that the seed decides: how a failing seed is replayed with less (--keep).
    std::optional<std::vector<FaultName>> only{};
};

// All faults of a run of `time`, ordered by their time. Each kind has a generator of its own: to leave out kinds, single
// faults, or the end of a run changes nothing about the others.
[[nodiscard]] std::vector<Fault> fault_schedule(const FaultPlan& plan, std::uint64_t seed, Duration time);

}  // namespace dunlin::sim
