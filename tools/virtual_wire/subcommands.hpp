#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace dunlin_wire {

// Set by the subcommand that was given: runs it and returns the exit status.
using Action = std::function<int()>;

void add_switch(CLI::App& app, Action& action);
void add_tap(CLI::App& app, Action& action);

}  // namespace dunlin_wire
