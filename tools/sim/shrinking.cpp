#include "shrinking.hpp"

#include <dunlin/core/assert.hpp>
#include <dunlin_sim/run/shrink.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

namespace dunlin::sim {
namespace {

constexpr unsigned kSecondsMax = 300;  // of one run: a world that hangs has no name for its failure
int to_parent = -1;                    // in a child: where its finding goes

void tell(const std::string& invariant) {
    std::size_t sent = 0;
    while (sent < invariant.size()) {
        const ssize_t count = ::write(to_parent, invariant.data() + sent, invariant.size() - sent);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
    }
    std::_Exit(0);
}

void on_assertion(const char* file, int line, const char* expression) {
    tell("assertion failed: " + std::string(file) + ":" + std::to_string(line) + ": " + expression);
}

std::string judge(const RunPlan& plan) {
    int ends[2];
    std::fflush(stdout);
    if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        ::close(ends[0]);
        to_parent = ends[1];
        ::alarm(kSecondsMax);
        set_assertion_hook(on_assertion);
        tell(run(plan).invariant);
    }
    ::close(ends[1]);
    std::string invariant;
    char bytes[512];
    for (ssize_t count = 0; (count = ::read(ends[0], bytes, sizeof(bytes))) > 0;) invariant.append(bytes, static_cast<std::size_t>(count));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) return "the run ended by itself, status " + std::to_string(status);
    return invariant;
}

}  // namespace

bool shrink_and_print(const Arguments& arguments, std::uint64_t seed) {
    const Shrunk shrunk = shrink(plan_of(arguments.plan, seed), judge);
    if (shrunk.invariant.empty()) return false;
    std::printf("shrunk in %zu runs: %zu of %zu faults, %zu nodes, %.2f s\n  '%s'\n", shrunk.runs, shrunk.plan.faults.only->size(),
                shrunk.faults_before, shrunk.plan.nodes, static_cast<double>(shrunk.plan.time.count()) / 1e6, shrunk.invariant.c_str());
    std::printf("  replay: %s\n", replay(arguments, shrunk.plan).c_str());
    return true;
}

}  // namespace dunlin::sim
