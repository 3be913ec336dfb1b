#include "lease_runner.hpp"
#include "subcommands.hpp"

#include <memory>
#include <string>

namespace dunlin_tool {

void add_elect(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<LeaseArguments>();
    CLI::App* const command = app.add_subcommand("elect", "Run COMMAND on one node at a time: on whichever is elected leader of NAME");
    arguments->add_to(*command);
    command->footer(
        "Start it on each node that may lead. One of them gets the lease NAME and runs COMMAND; the others wait, and one of them\n"
        "takes over when COMMAND, its dunlin or its machine has ended or cannot be reached. Who lost the lease ends COMMAND, in time,\n"
        "and stands again, under another token. It ends when COMMAND ends by itself, or on SIGTERM.\n" +
        std::string(kAboutLeasedCommand) +
        "Exit status: COMMAND's own (128 + N where signal N ended it; 127 there is no such command, 126 it cannot be run), or:\n"
        "122 --wait passed without the lease; 128 + N signal N came while it waited; 120 or 121 COMMAND ended, or was killed, because of\n"
        "the lease, when it was to stop anyway; 1 another process has this node's id, or it failed otherwise; 2 wrong command line;\n"
        "3 could not start (port in use).");
    command->callback([&action, arguments] { action = [arguments] { return run_while_held(*arguments, AfterLoss::stand_again); }; });
}

}  // namespace dunlin_tool
