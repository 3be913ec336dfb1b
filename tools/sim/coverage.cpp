#include "coverage.hpp"

namespace dunlin::sim {

bool coverage_required(const CampaignPlan& plan, const CampaignReport& report) {
    return report.worlds >= kCoverageWorldsMin && plan.run.time >= kCoverageTimeMin && plan.run.nodes >= kCoverageNodesMin &&
           plan.run.faults.drawn.all() && !plan.run.faults.only;
}

std::vector<std::string> shortfalls(const CampaignPlan& plan, const CampaignReport& report) {
    std::vector<std::string> found;
    const bool required = coverage_required(plan, report);
    const bool few = plan.run.faults.drawn.any() && report.worlds < kDrawnWorldsMin;
    for (const Verdict::Tally& tally : report.total.checks) {
        if (tally.checks == 0 && (required || (!few && tally.occasion == Verdict::Occasion::always)))
            found.push_back("idle: '" + tally.name + "' never had anything to check");
    }
    if (!required) return found;
    for (std::size_t i = 0; i < kMarkCount; ++i) {
        if (report.mark_worlds[i] == 0) found.push_back("mark not hit: '" + std::string(marks()[i].name) + "'");
    }
    for (std::size_t i = 0; i < kFaultKindCount; ++i) {
        if (report.fault_worlds[i] * 100 >= report.worlds * kFaultWorldsPercentMin) continue;
        found.push_back("rare fault: " + std::string(info(static_cast<FaultKind>(i)).name) + " happened in " +
                        std::to_string(report.fault_worlds[i]) + " of " + std::to_string(report.worlds) + " worlds, not in " +
                        std::to_string(kFaultWorldsPercentMin) + " %");
    }
    return found;
}

}  // namespace dunlin::sim
