#pragma once

#include "exit_code.hpp"

#include <CLI/CLI.hpp>

#include <functional>

namespace dunlin_tool {

// What the command line chose; main runs it when all of it is read. May throw ToolError or HostError.
using Action = std::function<ExitCode()>;

// Each adds one subcommand with its options, and sets `action` when that subcommand is the one.
void add_init(CLI::App& app, Action& action);
void add_join(CLI::App& app, Action& action);
void add_node(CLI::App& app, Action& action);
void add_pub(CLI::App& app, Action& action);
void add_sub(CLI::App& app, Action& action);
void add_lease(CLI::App& app, Action& action);
void add_elect(CLI::App& app, Action& action);
void add_status(CLI::App& app, Action& action);
void add_key(CLI::App& app, Action& action);
void add_member(CLI::App& app, Action& action);
void add_journal(CLI::App& app, Action& action);
// Verbs of `dunlin journal`.
void add_journal_recover(CLI::App& journal, Action& action);
void add_journal_rebind(CLI::App& journal, Action& action);

}  // namespace dunlin_tool
