#include "report.hpp"
#include "scenarios.hpp"

#include <dunlin/core/assert.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <thread>

namespace dunlin::sim {
namespace {

struct Arguments {
    CampaignPlan plan{};
    std::string seed;
    std::string seeds = "1";
    std::vector<std::string> faults;
    std::vector<std::string> scenarios;
    double minutes = 0;
    double seconds = 60;
    double loss = 0;
    bool crash_leader = false;
    bool json = false;
    bool trace = false;
    bool bench = false;
};

std::string replay_options;  // all but the seed; for the assertion hook

std::string replay(std::uint64_t seed) { return "./run sim --seed " + std::to_string(seed) + replay_options; }

// An assertion in the runtime is a violation too; the world that it happened in is lost, but its seed says it all.
void on_assertion(const char* file, int line, const char* expression) {
    std::printf("assertion failed: %s:%d: %s\n  replay: %s\n", file, line, expression, replay(seed_running()).c_str());
    std::fflush(stdout);
    std::_Exit(1);
}

std::uint64_t number(const std::string& text) {
    std::size_t used = 0;
    const std::uint64_t value = std::stoull(text, &used);
    if (used != text.size() || value == 0) throw CLI::ValidationError("seeds are numbers from 1 on, one or A..B");
    return value;
}

void read_seeds(Arguments& arguments) {
    const std::string text = arguments.seed.empty() ? arguments.seeds : arguments.seed;
    const std::size_t dots = text.find("..");
    arguments.plan.first_seed = number(text.substr(0, dots));
    arguments.plan.last_seed = dots == std::string::npos ? arguments.plan.first_seed : number(text.substr(dots + 2));
    if (arguments.plan.last_seed < arguments.plan.first_seed) throw CLI::ValidationError("the last seed is below the first");
}

Duration duration_of(double seconds) { return Duration{static_cast<std::int64_t>(seconds * 1e6)}; }

// The load of the speed figure: ten publishes a second by each node, about one lease operation a second, light faults, all
// checkers.
void set_bench(CampaignPlan& plan) {
    plan.run.network.loss_ppm = 1'000;
    plan.run.network.duplicate_ppm = 1'000;
    plan.run.faults.leader_crash_every = std::chrono::minutes{2};
    plan.run.workload.lease_ttl = dunlin::seconds{5};
    plan.run.workload.key_every = dunlin::seconds{10};
    plan.run.workload.shared_keys.every = dunlin::seconds{60};
    plan.draw_workload = false;
    plan.repeat_percent = 0;
    plan.jobs = 1;
}

void finish(Arguments& arguments) {
    CampaignPlan& plan = arguments.plan;
    read_seeds(arguments);
    if (arguments.minutes > 0) arguments.seconds = arguments.minutes * 60;
    plan.run.time = duration_of(arguments.seconds);
    plan.run.network.loss_ppm = static_cast<std::uint32_t>(arguments.loss * 1e6);
    if (arguments.crash_leader) plan.run.faults.leader_crash_every = duration_of(arguments.seconds / 2);
    for (const std::string& name : arguments.faults) {
        const auto kind = fault_kind(name);
        if (!kind) throw CLI::ValidationError("--faults knows none, all, network, crash, pause, partition and slow, not " + name);
        plan.fault_kinds |= *kind;
    }
    plan.draw_workload = plan.fault_kinds != kNoFaults;
    if (arguments.bench) set_bench(plan);
    if (plan.first_seed == plan.last_seed) plan.repeat_percent = arguments.trace || arguments.bench ? 0 : 100;
    if (arguments.trace) plan.run.trace = stdout;

    std::ostringstream options;
    options << " --nodes " << plan.run.nodes << " --seconds " << arguments.seconds;
    if (arguments.loss > 0) options << " --loss " << arguments.loss;
    if (arguments.crash_leader) options << " --crash-leader";
    for (std::size_t i = 0; i < arguments.faults.size(); ++i) options << (i == 0 ? " --faults " : ",") << arguments.faults[i];
    if (arguments.bench) options << " --bench";
    replay_options = options.str();
}

void declare(CLI::App& app, Arguments& arguments) {
    auto* const seed = app.add_option("--seed", arguments.seed, "one world, run twice to compare hashes");
    app.add_option("--seeds", arguments.seeds, "many worlds: A..B")->excludes(seed);
    app.add_option("--nodes", arguments.plan.run.nodes, "processes in a world")
        ->check(CLI::Range(std::size_t{1}, kNodesMax))
        ->capture_default_str();
    auto* const length =
        app.add_option("--seconds", arguments.seconds, "simulated time with faults; then they end, and the cluster must heal");
    length->check(CLI::Range(0.1, 1e6))->capture_default_str();
    app.add_option("--minutes", arguments.minutes, "the same in minutes")->check(CLI::Range(0.01, 1e5))->excludes(length);
    app.add_option("--loss", arguments.loss, "share of datagrams lost, 0..0.9")->check(CLI::Range(0.0, 0.9));
    app.add_flag("--crash-leader", arguments.crash_leader, "whoever leads crashes, about twice a run, and is started again");
    app.add_option("--faults", arguments.faults,
                   "kinds drawn for each seed, and a workload with them: none, all, network, crash, pause, partition, slow")
        ->delimiter(',');
    app.add_option("--repeat", arguments.plan.repeat_percent, "percent of the worlds that run twice")->check(CLI::Range(0U, 100U));
    app.add_option("--jobs", arguments.plan.jobs, "worlds at a time")->check(CLI::Range(1U, 256U))->capture_default_str();
    app.add_option("--scenario", arguments.scenarios, "plays these stories (tests/scenarios) instead of seeds");
    app.add_flag("--trace", arguments.trace, "tell what happens");
    app.add_flag("--json", arguments.json, "the closing table as JSON");
    app.add_flag("--bench", arguments.bench, "the load of the speed figure, on one core");
}

int run(const Arguments& arguments) {
    const CampaignReport report = run(arguments.plan);
    if (arguments.json) {
        print_json(report, replay(report.failed.empty() ? arguments.plan.first_seed : report.failed.front().seed));
    } else {
        print_table(report);
        for (const RunReport& failed : report.failed) print_failure(failed, replay(failed.seed));
        if (arguments.bench) print_speed(report);
    }
    return report.ok() ? 0 : 1;
}

int main_of(int argc, char** argv) {
    CLI::App app{
        "Simulated clusters from seeds: faults, a workload, and checkers for what must hold.\n"
        "Exit status 0: all held, and every checker had something to check; 1: not so; 2: usage."};
    Arguments arguments;
    arguments.plan.jobs = std::max(1U, std::thread::hardware_concurrency());
    declare(app, arguments);
    try {
        app.parse(argc, argv);
        finish(arguments);
    } catch (const CLI::CallForHelp& help) { return app.exit(help); } catch (const CLI::ParseError& error) {
        app.exit(error);
        return 2;
    } catch (const std::logic_error&) {
        std::fprintf(stderr, "seeds are numbers from 1 on, one or A..B\n");
        return 2;
    }
    if (!arguments.scenarios.empty()) return play_scenarios(arguments.scenarios, arguments.trace);
    dunlin::set_assertion_hook(on_assertion);
    return run(arguments);
}

}  // namespace
}  // namespace dunlin::sim

int main(int argc, char** argv) {
    try {
        return dunlin::sim::main_of(argc, argv);
    } catch (const std::exception& error) {
        std::fputs(error.what(), stderr);
        std::fputc('\n', stderr);
        return 1;
    }
}
