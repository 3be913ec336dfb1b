#include "scenarios.hpp"

#include <dunlin/core/assert.hpp>
#include <dunlin_sim/scenario/scenario_player.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace dunlin::sim {
namespace {

std::string playing;  // for the assertion hook

// The world that it happened in is lost, but its scenario says it all.
void on_assertion(const char* file, int line, const char* expression) {
    std::printf("%s: assertion failed: %s:%d: %s\n", playing.c_str(), file, line, expression);
    std::fflush(stdout);
    std::_Exit(1);
}

std::string content_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) throw ScenarioError(file, 1, "cannot be read, or is empty");
    return text.str();
}

bool play_file(const std::string& file, bool trace) {
    try {
        const ScenarioReport report = play(parse_scenario(file, content_of(file)), trace ? stdout : nullptr);
        const double simulated_s = static_cast<double>(report.time.count()) / 1e6;
        std::printf("%-48s %8.3f s  %8llu checks  %s\n", file.c_str(), simulated_s, static_cast<unsigned long long>(report.checks),
                    report.failure.empty() ? "ok" : "FAILED");
        if (report.failure.empty()) return true;
        std::printf("  %s\n", report.failure.c_str());
        for (const std::string& event : report.last_events) std::printf("    %s\n", event.c_str());
    } catch (const ScenarioError& error) { std::printf("%s\n", error.what()); }
    return false;
}

}  // namespace

int play_scenarios(const std::vector<std::string>& files, bool trace) {
    set_assertion_hook(on_assertion);
    bool ok = true;
    for (const std::string& file : files) {
        playing = file;
        ok = play_file(file, trace) && ok;
    }
    return ok ? 0 : 1;
}

}  // namespace dunlin::sim
