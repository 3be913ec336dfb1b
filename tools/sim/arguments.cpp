#include "arguments.hpp"

#include <dunlin_sim/run/shrink.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace dunlin::sim {
namespace {

// What the command line says before it is understood.
struct Words {
    std::string seed;
    std::string seeds = "1";
    std::vector<std::string> faults;
    std::vector<std::string> keep;
    double minutes = 0;
    double seconds = 60;
    double loss = 0;
    bool crash_leader = false;
    bool trace = false;
};

// As the command line's library ends for a value that it refuses.
class Refused : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::uint64_t number(const std::string& text) {
    std::size_t used = 0;
    const std::uint64_t value = text.empty() || text[0] < '0' || text[0] > '9' ? 0 : std::stoull(text, &used);
    if (used != text.size() || value == 0) throw Refused("seeds are numbers from 1 on, one or A..B, not '" + text + "'");
    return value;
}

void read_seeds(const Words& words, CampaignPlan& plan) {
    const std::string text = words.seed.empty() ? words.seeds : words.seed;
    const std::size_t dots = text.find("..");
    plan.first_seed = number(text.substr(0, dots));
    plan.last_seed = dots == std::string::npos ? plan.first_seed : number(text.substr(dots + 2));
    if (plan.last_seed < plan.first_seed) throw Refused("--seeds: the last seed is below the first");
}

Duration duration_of(double seconds) { return Duration{static_cast<std::int64_t>(seconds * 1e6)}; }

void read_faults(const Words& words, FaultPlan& faults) {
    for (const std::string& name : words.faults) {
        const auto set = faults_named(name);
        if (!set) throw Refused("--faults: there is no '" + name + "'; there are " + fault_names());
        faults.drawn |= *set;
    }
    if (words.keep.empty()) return;
    faults.only.emplace();
    for (const std::string& text : words.keep) {
        if (text == "none") continue;
        const auto name = fault_name(text);
        if (!name) throw Refused("--keep: '" + text + "' is not a fault such as crash.3, nor 'none'");
        faults.only->push_back(*name);
    }
}

std::string names_of_work() {
    std::string names;
    for (const Work& work : kinds_of_work()) names += (names.empty() ? "" : ", ") + std::string(work.name);
    return names;
}

void read_work(const Arguments& arguments, CampaignPlan& plan) {
    for (const std::string& name : arguments.without) {
        const auto all = kinds_of_work();
        const auto work = std::ranges::find_if(all, [&](const Work& each) { return each.name == name; });
        if (work == all.end()) throw Refused("--without: there is no '" + name + "'; there are " + names_of_work());
        plan.without.push_back(work->leave_out);
    }
}

// The load of the speed figure: ten publishes a second by each node, about one lease operation a second, light faults, all
// checkers.
void set_bench(CampaignPlan& plan) {
    plan.run.network.loss_ppm = 1'000;
    plan.run.network.duplicate_ppm = 1'000;
    plan.run.faults.every[index_of(FaultKind::leader_crash)] = std::chrono::minutes{2};
    plan.run.workload.lease_ttl = dunlin::seconds{5};
    plan.run.workload.key_every = dunlin::seconds{10};
    plan.run.workload.shared_keys.every = dunlin::seconds{60};
    plan.draw_workload = false;
    plan.repeat_percent = 0;
    plan.jobs = 1;
}

void understand(const Words& words, Arguments& arguments) {
    CampaignPlan& plan = arguments.plan;
    read_seeds(words, plan);
    const double length_s = words.minutes > 0 ? words.minutes * 60 : words.seconds;
    plan.run.time = duration_of(length_s);
    plan.run.network.loss_ppm = static_cast<std::uint32_t>(words.loss * 1e6);
    if (words.crash_leader) plan.run.faults.every[index_of(FaultKind::leader_crash)] = duration_of(length_s / 2);
    read_faults(words, plan.run.faults);
    read_work(arguments, plan);
    plan.draw_workload = plan.run.faults.drawn.any();
    if (arguments.bench) set_bench(plan);
    if (plan.first_seed == plan.last_seed) plan.repeat_percent = words.trace || arguments.bench ? 0 : 100;
    if (words.trace) plan.run.trace = stdout;

    std::ostringstream options;
    if (words.loss > 0) options << " --loss " << words.loss;
    if (words.crash_leader) options << " --crash-leader";
    for (std::size_t i = 0; i < words.faults.size(); ++i) options << (i == 0 ? " --faults " : ",") << words.faults[i];
    if (arguments.bench) options << " --bench";
    arguments.own_options = options.str();
}

void declare(CLI::App& app, Words& words, Arguments& arguments) {
    auto* const seed = app.add_option("--seed", words.seed, "one world, run twice to compare hashes");
    app.add_option("--seeds", words.seeds, "many worlds: A..B")->excludes(seed);
    app.add_option("--nodes", arguments.plan.run.nodes, "processes in a world")
        ->check(CLI::Range(std::size_t{1}, kNodesMax))
        ->capture_default_str();
    auto* const length = app.add_option("--seconds", words.seconds, "simulated time with faults; then they end, and the cluster must heal");
    length->check(CLI::Range(0.1, 1e6))->capture_default_str();
    app.add_option("--minutes", words.minutes, "the same in minutes")->check(CLI::Range(0.01, 1e5))->excludes(length);
    app.add_option("--loss", words.loss, "share of datagrams lost, 0..0.9")->check(CLI::Range(0.0, 0.9));
    app.add_flag("--crash-leader", words.crash_leader, "whoever leads crashes, about twice a run, and is started again");
    app.add_option("--faults", words.faults, "kinds and groups drawn for each seed, and a workload with them: " + fault_names())
        ->delimiter(',');
    app.add_option("--keep", words.keep, "of all faults of a seed these alone, such as crash.3,loss.1, or none")->delimiter(',');
    app.add_option("--without", arguments.without, "leaves out work: " + names_of_work())->delimiter(',');
    app.add_flag("--shrink", arguments.shrink, "makes the first failure as small as it gets, and prints the command for that");
    app.add_option("--repeat", arguments.plan.repeat_percent, "percent of the worlds that run twice")->check(CLI::Range(0U, 100U));
    app.add_option("--jobs", arguments.plan.jobs, "worlds at a time")->check(CLI::Range(1U, 256U))->capture_default_str();
    app.add_option("--scenario", arguments.scenarios, "plays these stories (tests/scenarios) instead of seeds");
    app.add_flag("--trace", words.trace, "tell what happens");
    app.add_flag("--json", arguments.json, "the closing table as JSON");
    app.add_flag("--bench", arguments.bench, "the load of the speed figure, on one core");
}

std::string command(const Arguments& arguments, const RunPlan& plan, const std::vector<std::string>& without) {
    std::ostringstream text;
    text << "./run sim --seed " << plan.seed << " --nodes " << plan.nodes << " --seconds " << static_cast<double>(plan.time.count()) / 1e6
         << arguments.own_options;
    if (plan.faults.only) text << " --keep " << (plan.faults.only->empty() ? "none" : "");
    for (std::size_t i = 0; plan.faults.only && i < plan.faults.only->size(); ++i) {
        text << (i == 0 ? "" : ",") << to_string((*plan.faults.only)[i]);
    }
    for (std::size_t i = 0; i < without.size(); ++i) text << (i == 0 ? " --without " : ",") << without[i];
    return text.str();
}

}  // namespace

std::string replay(const Arguments& arguments, std::uint64_t seed) {
    return command(arguments, plan_of(arguments.plan, seed), arguments.without);
}

std::string replay(const Arguments& arguments, const RunPlan& shrunk) {
    std::vector<std::string> without;
    for (const Work& work : kinds_of_work()) {
        if (work.left_out(shrunk.workload)) without.emplace_back(work.name);
    }
    return command(arguments, shrunk, without);
}

std::optional<int> read_arguments(int argc, char** argv, Arguments& arguments) {
    CLI::App app{
        "Simulated clusters from seeds: faults, a workload, and checkers for what must hold.\n"
        "Exit status 0: all held, every checker had something to check (where faults are drawn: in 20 worlds or more), and (from 100\n"
        "worlds of five nodes and a minute, with all faults) every coverage mark was hit and every kind of fault happened in 20 % of\n"
        "the worlds; 1: not so; 2: usage."};
    Words words;
    arguments.plan.jobs = std::max(1U, std::thread::hardware_concurrency());
    declare(app, words, arguments);
    try {
        app.parse(argc, argv);
        understand(words, arguments);
        return std::nullopt;
    } catch (const CLI::CallForHelp& help) { return app.exit(help); } catch (const CLI::ParseError& error) {
        app.exit(error);
    } catch (const std::exception& error) { std::fprintf(stderr, "%s\n", error.what()); }
    return 2;
}

}  // namespace dunlin::sim
