#pragma once

#include "campaign.hpp"

#include <string>
#include <vector>

namespace dunlin::sim {

// From so many worlds on, of a minute or more with all faults and at least five nodes, a campaign must hit every mark, give
// every checker something to check, and let every kind of fault happen in so many of its worlds. Below that its marks and faults
// are only reported, and only the checkers that always have work must have had some; where faults are drawn, in so many worlds: with
// a clock beyond its bound, in half of them, a lease excludes nobody.
inline constexpr std::uint64_t kCoverageWorldsMin = 100;
inline constexpr std::size_t kCoverageNodesMin = 5;
inline constexpr Duration kCoverageTimeMin = seconds{60};
inline constexpr std::uint64_t kFaultWorldsPercentMin = 20;
inline constexpr std::uint64_t kDrawnWorldsMin = 20;

[[nodiscard]] bool coverage_required(const CampaignPlan& plan, const CampaignReport& report);

// What the campaign should have done and did not, a sentence each.
[[nodiscard]] std::vector<std::string> shortfalls(const CampaignPlan& plan, const CampaignReport& report);

}  // namespace dunlin::sim
