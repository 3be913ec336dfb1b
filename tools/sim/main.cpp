#include "arguments.hpp"
#include "report.hpp"
#include "scenarios.hpp"
#include "shrinking.hpp"

#include <dunlin/core/assert.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>

namespace dunlin::sim {
namespace {

const Arguments* asked = nullptr;  // for the assertion hook

// An assertion in the runtime is a violation too; the world that it happened in is lost, but its seed says it all. Where two
// threads come here, the second one waits for the end.
void on_assertion(const char* file, int line, const char* expression) {
    static std::mutex once;
    once.lock();
    const std::uint64_t seed = seed_running();
    std::printf("assertion failed: %s:%d: %s\n  replay: %s\n", file, line, expression, replay(*asked, seed).c_str());
    if (asked->shrink) shrink_and_print(*asked, seed);
    std::fflush(stdout);
    std::_Exit(1);
}

int run(const Arguments& arguments) {
    asked = &arguments;
    set_assertion_hook(on_assertion);
    const CampaignReport report = run(arguments.plan);
    if (arguments.json) {
        print_json(report, replay(arguments, report.failed.empty() ? arguments.plan.first_seed : report.failed.front().seed));
    } else {
        print_table(report);
        for (const RunReport& failed : report.failed) print_failure(failed, replay(arguments, failed.seed));
        if (arguments.bench) print_memory();
    }
    if (arguments.shrink && !report.failed.empty()) shrink_and_print(arguments, report.failed.front().seed);
    return report.ok() ? 0 : 1;
}

int main_of(int argc, char** argv) {
    Arguments arguments;
    if (const auto status = read_arguments(argc, argv, arguments)) return *status;
    if (!arguments.scenarios.empty()) return play_scenarios(arguments.scenarios, arguments.plan.run.trace != nullptr);
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
