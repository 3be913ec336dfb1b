#include "format_arguments.hpp"
#include "journal_file.hpp"
#include "subcommands.hpp"

#include <cstdio>
#include <memory>

namespace dunlin_tool {
namespace {

ExitCode join(const FormatArguments& arguments) {
    arguments.check();
    const dunlin::FormatPlan plan = arguments.plan();
    make_journal(arguments.journal, kVoterJournalBytes, plan);
    std::printf("%s\n", to_text(arguments.entry(plan)).c_str());
    return kDone;
}

}  // namespace

void add_join(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<FormatArguments>();
    CLI::App* const command = app.add_subcommand(
        "join", "Make the journal of a voter, and print the entry that names it to `dunlin init` or `dunlin member add`");
    arguments->add_to(*command);
    command->footer(
        "For a new cluster: run it for each voter but one; then `dunlin init` for that one, with --voter and each printed entry. For a "
        "cluster\n"
        "that is there: run it, start the node, and then `dunlin member add` with the printed entry.\n"
        "Exit status: 0 the journal was made; 2 wrong command line; 3 it could not be made (it exists already).");
    command->callback([&action, arguments] { action = [arguments] { return join(*arguments); }; });
}

}  // namespace dunlin_tool
