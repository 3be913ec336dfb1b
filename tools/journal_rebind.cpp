#include "journal_copy.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"
#include "values.hpp"

#include <dunlin_asio/entropy.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace dunlin_tool {
namespace {

struct RebindArguments {
    std::string old_journal;
    std::string new_journal;
    std::string incarnation;
};

// As init and recover print it: in hexadecimal.
dunlin::ClusterIncarnation read_incarnation(const std::string& text) {
    const std::optional<std::uint64_t> number = text.size() == 16 ? read_number("0x" + text) : std::nullopt;
    if (!number || *number == 0)
        throw ToolError(kUsage, "--incarnation '" + text + "' is none: 16 hexadecimal digits, as `dunlin journal recover` prints it.");
    return dunlin::ClusterIncarnation{*number};
}

// A voter under its old storage could vote again for what it has forgotten, and a journal without a replica is blank: so it gets another.
ExitCode rebind(const RebindArguments& arguments) {
    const dunlin::ClusterIncarnation incarnation = read_incarnation(arguments.incarnation);
    const JournalCopy old(arguments.old_journal);
    const bool voter = old.contents().replica.present;
    const dunlin::StorageId storage = voter ? dunlin::StorageId{dunlin_asio::random_nonzero_u64()} : old.contents().format.storage;
    const std::optional<VoterEntry> entry = voter ? std::optional(old.entry(storage)) : std::nullopt;
    old.make(arguments.new_journal, storage, incarnation, {});
    if (entry) std::printf("%s\n", to_text(*entry).c_str());
    return kDone;
}

}  // namespace

void add_journal_rebind(CLI::App& journal, Action& action) {
    auto arguments = std::make_shared<RebindArguments>();
    CLI::App* const verb = journal.add_subcommand(
        "rebind", "Make of a node's journal one for a cluster that was recovered by force, which refuses the old one");
    verb->add_option("OLD", arguments->old_journal, "Journal of the node, stopped; it is not changed")->required();
    verb->add_option("NEW", arguments->new_journal, "Journal to make for it")->required();
    verb->add_option("--incarnation", arguments->incarnation, "Of the cluster now, as `dunlin journal recover` printed it")
        ->required()
        ->type_name("HEX");
    verb->footer(
        "What was published and is not settled, subscriptions, watermarks and fences go over. A voter's copy of the ledger does\n"
        "not: it is a new one without a vote, and its entry is printed, for `dunlin member add`.\n"
        "Exit status: 0 NEW was made; 2 wrong command line; 3 OLD cannot be used, or NEW cannot be made.");
    verb->callback([&action, arguments] { action = [arguments] { return rebind(*arguments); }; });
}

}  // namespace dunlin_tool
