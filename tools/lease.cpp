#include "lease_runner.hpp"
#include "subcommands.hpp"

#include <memory>
#include <string>

namespace dunlin_tool {

void add_lease(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<LeaseArguments>();
    CLI::App* const lease = app.add_subcommand("lease", "Do something while, in the whole cluster, nobody else does");
    lease->require_subcommand(1);
    CLI::App* const command = lease->add_subcommand("acquire", "Run COMMAND once, while the lease NAME is held");
    arguments->add_to(*command);
    command->footer(std::string(kAboutLeasedCommand) +
                    "Exit status: COMMAND's own (128 + N where signal N ended it; 127 there is no such\n"
                    "command, 126 it cannot be run), or: 120 it ended after SIGTERM, sent because of the lease;\n"
                    "121 it was killed because of the lease; 122 --wait passed without the lease; 128 + N signal N came before the lease;\n"
                    "1 another process has this node's id, or it failed otherwise; 2 wrong command line; 3 could not start (port in use).");
    command->callback([&action, arguments] { action = [arguments] { return run_while_held(*arguments, AfterLoss::end); }; });
}

}  // namespace dunlin_tool
