#include "subcommands.hpp"

#include "tool_error.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

constexpr const char* kFooter =
    "Exit status: 0 done; 1 it ran and failed; 2 wrong command line; 3 could not start (a path in use, no privilege for a TAP).\n"
    "tap ends with the status of its command.";

int tell(const char* sentence, int code) {
    std::fprintf(stderr, "dunlin_wire: %s\n", sentence);
    return code;
}

int run(int argc, char** argv) {
    CLI::App app("A virtual Ethernet for tests: joins QEMU guests and processes of this machine, and loses what it is told to.",
                 "dunlin_wire");
    app.require_subcommand(1);
    app.footer(kFooter);
    dunlin_wire::Action action;
    dunlin_wire::add_switch(app, action);
    dunlin_wire::add_tap(app, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) { return app.exit(error) == 0 ? dunlin_tool::kDone : dunlin_tool::kUsage; }
    return action();
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // whoever read the answers may leave
    try {
        return run(argc, argv);
    } catch (const dunlin_tool::ToolError& error) { return tell(error.what(), error.code); } catch (const std::exception& error) {
        return tell(error.what(), dunlin_tool::kFailed);
    }
}
