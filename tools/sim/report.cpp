#include "report.hpp"

#include <nlohmann/json.hpp>

#include <cinttypes>
#include <cstdio>

#include <sys/resource.h>

namespace dunlin::sim {
namespace {

double seconds_of(Duration time) { return static_cast<double>(time.count()) / 1e6; }

void line(const char* name, std::uint64_t count) { std::printf("  %-42s %14" PRIu64 "\n", name, count); }

void print_work(const RunReport& total) {
    std::printf("work\n");
    line("publishes accepted", total.publishes);
    line("deliveries ended by a handler", total.deliveries);
    line("  again after a crash", total.repeats);
    for (std::size_t i = 1; i < static_cast<std::size_t>(Outcome::skipped); ++i) {
        line(("  outcome " + std::string(to_string(static_cast<Outcome>(i)))).c_str(), total.outcomes[i]);
    }
    line("publishes refused, something was full", total.workload.refused);
    line("publishes that nobody listened to", total.workload.unheard);
    line("publishes inside a handler", total.workload.echoes);
    line("subscriptions begun or ended", total.workload.subscriptions_changed);
    line("terms with a leader", total.leaders);
    line("leases granted", total.lease_grants);
    line("leases given back", total.workload.lease_releases);
    line("leases lost", total.workload.leases_lost);
    line("stale publishes of former holders", total.workload.stale_publishes);
    line("ledger commands executed, by all voters", total.counters[static_cast<std::size_t>(Counter::commands_applied)]);
    line("puts answered", total.puts);
    line("gets answered", total.gets);
    line("ledger calls ended without an answer", total.calls_unanswered);
    line("puts of shared keys answered", total.shared_puts);
    line("  ended by an eviction", total.puts_evicted);
    line("gets of shared keys answered", total.shared_gets);
    line("disk syncs", total.syncs);
}

// Events, and in how many of the worlds there were any.
void shared_line(std::string_view name, std::uint64_t count, std::uint64_t worlds, const CampaignReport& report) {
    const auto percent = 100.0 * static_cast<double>(worlds) / static_cast<double>(report.worlds);
    std::printf("  %-42.*s %14" PRIu64 " %6.1f %% of worlds\n", static_cast<int>(name.size()), name.data(), count, percent);
}

void print_faults(const CampaignReport& report) {
    std::printf("faults\n");
    line("datagrams sent", report.total.network.sent);
    line("  cut off by a partition", report.total.network.cut);
    line("  refused by a full socket", report.total.network.overflowed);
    line("  too long for a path", report.total.network.too_long);
    line("  dropped by a thin line", report.total.network.congested);
    line("  held up by a clog", report.total.network.clogged);
    for (std::size_t i = 0; i < kFaultKindCount; ++i) {
        shared_line(info(static_cast<FaultKind>(i)).name, report.total.faults[i], report.fault_worlds[i], report);
    }
}

void print_marks(const CampaignReport& report) {
    std::printf("marks\n");
    for (std::size_t i = 0; i < kMarkCount; ++i) shared_line(marks()[i].name, report.total.marks[i], report.mark_worlds[i], report);
}

double speed(const CampaignReport& report, double amount) {
    return amount * static_cast<double>(report.worlds + report.repeated) / static_cast<double>(report.worlds) / report.cpu_seconds;
}

}  // namespace

void print_table(const CampaignReport& report) {
    const RunReport& total = report.total;
    print_work(total);
    print_faults(report);
    print_marks(report);
    std::printf("checks\n");
    for (const Verdict::Tally& tally : total.checks) line(tally.name.c_str(), tally.checks);
    line("the same seed gives the same run", report.repeated);
    std::printf("worlds=%" PRIu64 " failed=%" PRIu64 " simulated_s=%.0f events=%" PRIu64 " healed_within_s=%.2f hash=%016" PRIx64 "\n",
                report.worlds, report.worlds_failed, seconds_of(total.time), total.events, seconds_of(report.healed_in_max), total.hash);
    std::printf("node_hours=%.1f simulated_s_per_cpu_s=%.0f events_per_cpu_s=%.0f cpu_s=%.2f\n", seconds_of(total.node_time) / 3600,
                speed(report, seconds_of(total.time)), speed(report, static_cast<double>(total.events)), report.cpu_seconds);
    for (const std::string& shortfall : report.shortfalls) std::printf("%s\n", shortfall.c_str());
}

void print_failure(const RunReport& report, const std::string& replay) {
    std::printf("seed %" PRIu64 "\n", report.seed);
    for (const std::string& violation : report.violations) std::printf("  %s\n", violation.c_str());
    std::printf("  last events:\n");
    for (const std::string& event : report.last_events) std::printf("    %s\n", event.c_str());
    std::printf("  replay: %s\n", replay.c_str());
}

void print_memory() {
    constexpr double kMiB = 1024 * 1024;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("memory_mib_max=%.1f\n", static_cast<double>(usage.ru_maxrss) * 1024 / kMiB);
}

void print_json(const CampaignReport& report, const std::string& replay) {
    const RunReport& total = report.total;
    nlohmann::ordered_json json;
    json["ok"] = report.ok();
    json["worlds"] = report.worlds;
    json["worlds_failed"] = report.worlds_failed;
    json["repeated"] = report.repeated;
    json["simulated_s"] = seconds_of(total.time);
    json["events"] = total.events;
    json["cpu_s"] = report.cpu_seconds;
    json["hash"] = total.hash;
    json["publishes"] = total.publishes;
    json["deliveries"] = total.deliveries;
    json["repeats"] = total.repeats;
    for (std::size_t i = 1; i < static_cast<std::size_t>(Outcome::skipped); ++i) {
        json["outcomes"][std::string(to_string(static_cast<Outcome>(i)))] = total.outcomes[i];
    }
    json["terms"] = total.leaders;
    json["lease_grants"] = total.lease_grants;
    json["leases_lost"] = total.workload.leases_lost;
    json["puts"] = total.puts;
    json["gets"] = total.gets;
    json["node_hours"] = seconds_of(total.node_time) / 3600;
    json["simulated_s_per_cpu_s"] = speed(report, seconds_of(total.time));
    for (std::size_t i = 0; i < kFaultKindCount; ++i) {
        json["faults"][std::string(info(static_cast<FaultKind>(i)).name)] = {{"events", total.faults[i]},
                                                                             {"worlds", report.fault_worlds[i]}};
    }
    for (std::size_t i = 0; i < kMarkCount; ++i) {
        json["marks"][std::string(marks()[i].name)] = {{"events", total.marks[i]}, {"worlds", report.mark_worlds[i]}};
    }
    for (const Verdict::Tally& tally : total.checks) json["checks"][tally.name] = tally.checks;
    for (std::size_t i = 0; i < kCounterCount; ++i) json["counters"][std::string(info(static_cast<Counter>(i)).name)] = total.counters[i];
    json["shortfalls"] = report.shortfalls;
    for (const RunReport& failed : report.failed) {
        json["failures"].push_back({{"seed", failed.seed}, {"violations", failed.violations}, {"last_events", failed.last_events}});
    }
    json["replay"] = replay;
    std::printf("%s\n", json.dump(2).c_str());
}

}  // namespace dunlin::sim
