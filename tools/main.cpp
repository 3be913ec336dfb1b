#include "mistyped.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"

#include <dunlin/core/assert.hpp>

#include <dunlin_asio/host_error.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

constexpr const char* kFooter =
    "Exit status: 0 done; 1 it ran, but what was asked for did not come about (a dead letter, a refused request, a failed journal);\n"
    "2 wrong command line or configuration; 3 could not start (port in use, unusable journal, no node at the socket).\n"
    "Some have more: see their --help. SIGTERM and SIGINT end every command gracefully: what was published is\n"
    "settled, leases are released, leadership is handed on; another one, a second or more later, ends it at once.";

int tell(const char* sentence, int code) {
    std::fprintf(stderr, "dunlin: %s\n", sentence);
    return code;
}

// The process ends after it: a core file tells the rest.
void on_assertion(const char* file, int line, const char* expression) {
    std::fprintf(stderr, "dunlin: a bug: %s:%d: '%s' does not hold.\n", file, line, expression);
}

int run(int argc, char** argv) {
    CLI::App app("A message bus with leases, for clusters that must keep working on a bad network.", "dunlin");
    app.set_version_flag("--version", "dunlin " DUNLIN_VERSION);
    app.require_subcommand(1);
    app.footer(kFooter);
    dunlin_tool::Action action;
    dunlin_tool::add_init(app, action);
    dunlin_tool::add_join(app, action);
    dunlin_tool::add_node(app, action);
    dunlin_tool::add_pub(app, action);
    dunlin_tool::add_sub(app, action);
    dunlin_tool::add_lease(app, action);
    dunlin_tool::add_elect(app, action);
    dunlin_tool::add_status(app, action);
    dunlin_tool::add_key(app, action);
    dunlin_tool::add_member(app, action);
    dunlin_tool::add_journal(app, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (const auto sentence = dunlin_tool::about_mistyped_subcommand(app)) return tell(sentence->c_str(), dunlin_tool::kUsage);
        return app.exit(error) == 0 ? dunlin_tool::kDone : dunlin_tool::kUsage;
    }
    return action();
}

}  // namespace

int main(int argc, char** argv) {
    dunlin::set_assertion_hook(on_assertion);
    std::signal(SIGPIPE, SIG_IGN);  // a reader that left is an error of write(2), told like any other
    try {
        return run(argc, argv);
    } catch (const dunlin_tool::ToolError& error) { return tell(error.what(), error.code); } catch (const dunlin_asio::HostError& error) {
        return tell(error.what(), dunlin_tool::kCannotStart);
    } catch (const std::exception& error) { return tell(error.what(), dunlin_tool::kFailed); }
}
