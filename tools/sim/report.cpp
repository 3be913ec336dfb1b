#include "report.hpp"

#include <nlohmann/json.hpp>

#include <cinttypes>
#include <cstdio>

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
    line("puts answered", total.puts);
    line("gets answered", total.gets);
    line("ledger calls ended without an answer", total.calls_unanswered);
    line("puts of shared keys answered", total.shared_puts);
    line("  ended by an eviction", total.puts_evicted);
    line("gets of shared keys answered", total.shared_gets);
    line("disk syncs", total.syncs);
}

void print_faults(const RunReport& total) {
    std::printf("faults\n");
    line("datagrams sent", total.network.sent);
    line("  lost", total.network.lost);
    line("  duplicated", total.network.duplicated);
    line("  late", total.network.late);
    line("  corrupted", total.network.corrupted);
    line("  cut off by a partition", total.network.cut);
    line("  refused by a full socket", total.network.overflowed);
    line("  too long for a path", total.network.too_long);
    line("  dropped by a thin line", total.network.congested);
    line("  held up by a clog", total.network.clogged);
    line("crashes of the leader", total.faults.leader_crashes);
    line("crashes of others", total.faults.crashes);
    line("crashes inside a handler", total.faults.handler_crashes);
    line("pauses", total.faults.pauses);
    line("partitions", total.faults.partitions);
    line("paths shortened", total.faults.short_paths);
    line("links clogged", total.faults.clogs);
    line("slow processes", total.faults.slow_nodes);
    line("slow disks", total.faults.slow_disks);
    line("writes torn", total.torn_writes);
}

}  // namespace

void print_table(const CampaignReport& report) {
    const RunReport& total = report.total;
    print_work(total);
    print_faults(total);
    std::printf("checks\n");
    for (const Verdict::Tally& tally : total.checks) line(tally.name.c_str(), tally.checks);
    line("the same seed gives the same run", report.repeated);
    std::printf("worlds=%" PRIu64 " failed=%" PRIu64 " simulated_s=%.0f events=%" PRIu64 " healed_within_s=%.2f hash=%016" PRIx64 "\n",
                report.worlds, report.worlds_failed, seconds_of(total.time), total.events, seconds_of(report.healed_in_max), total.hash);
    for (const std::string& name : report.idle)
        std::printf("idle: '%s' never had anything to check, so this proves nothing\n", name.c_str());
}

void print_failure(const RunReport& report, const std::string& replay) {
    std::printf("seed %" PRIu64 "\n", report.seed);
    for (const std::string& violation : report.violations) std::printf("  %s\n", violation.c_str());
    std::printf("  last events:\n");
    for (const std::string& event : report.last_events) std::printf("    %s\n", event.c_str());
    std::printf("  replay: %s\n", replay.c_str());
}

void print_speed(const CampaignReport& report) {
    const double simulated =
        seconds_of(report.total.time) * static_cast<double>(report.worlds + report.repeated) / static_cast<double>(report.worlds);
    const double events = static_cast<double>(report.total.events) * static_cast<double>(report.worlds + report.repeated) /
                          static_cast<double>(report.worlds);
    std::printf("sim: simulated_s_per_cpu_s=%.0f events_per_cpu_s=%.0f cpu_s=%.2f\n", simulated / report.cpu_seconds,
                events / report.cpu_seconds, report.cpu_seconds);
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
    json["faults"] = {{"datagrams_lost", total.network.lost},
                      {"datagrams_duplicated", total.network.duplicated},
                      {"datagrams_late", total.network.late},
                      {"datagrams_corrupted", total.network.corrupted},
                      {"datagrams_cut", total.network.cut},
                      {"leader_crashes", total.faults.leader_crashes},
                      {"crashes", total.faults.crashes},
                      {"pauses", total.faults.pauses},
                      {"partitions", total.faults.partitions},
                      {"torn_writes", total.torn_writes},
                      {"datagrams_too_long", total.network.too_long},
                      {"datagrams_congested", total.network.congested},
                      {"datagrams_clogged", total.network.clogged},
                      {"handler_crashes", total.faults.handler_crashes},
                      {"short_paths", total.faults.short_paths},
                      {"clogs", total.faults.clogs},
                      {"slow_nodes", total.faults.slow_nodes},
                      {"slow_disks", total.faults.slow_disks}};
    for (const Verdict::Tally& tally : total.checks) json["checks"][tally.name] = tally.checks;
    for (std::size_t i = 0; i < kCounterCount; ++i) json["counters"][std::string(info(static_cast<Counter>(i)).name)] = total.counters[i];
    json["idle"] = report.idle;
    for (const RunReport& failed : report.failed) {
        json["failures"].push_back({{"seed", failed.seed}, {"violations", failed.violations}, {"last_events", failed.last_events}});
    }
    json["replay"] = replay;
    std::printf("%s\n", json.dump(2).c_str());
}

}  // namespace dunlin::sim
