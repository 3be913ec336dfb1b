#include "format_arguments.hpp"
#include "journal_file.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"

#include <dunlin/core/limits.hpp>
#include <dunlin/ledger/commands.hpp>
#include <dunlin/node/presets.hpp>

#include <dunlin_asio/entropy.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace dunlin_tool {
namespace {

struct InitArguments {
    FormatArguments format;
    std::vector<std::string> voters;
    std::string ledger = "small";
    std::uint32_t clock_rate_ppm = 1000;
};

std::vector<VoterEntry> all_voters(const InitArguments& arguments, const dunlin::FormatPlan& plan) {
    std::vector<VoterEntry> voters{arguments.format.entry(plan)};
    for (const std::string& text : arguments.voters) {
        const std::optional<VoterEntry> entry = read_voter_entry(text);
        if (!entry) throw ToolError(kUsage, "--voter '" + text + "' is no entry ID:STORAGE@HOST:PORT as `dunlin join` prints it.");
        voters.push_back(*entry);
    }
    std::set<dunlin::NodeId> ids;
    std::set<std::string> addresses;
    for (const VoterEntry& each : voters) {
        if (!ids.insert(each.node).second) throw ToolError(kUsage, "voter " + std::to_string(each.node.value()) + " is named twice.");
        if (!addresses.insert(each.address).second)
            throw ToolError(kUsage, "two voters have the address " + each.address + ": nobody could tell them apart.");
    }
    if (voters.size() > dunlin::kVotersMax) throw ToolError(kUsage, "a cluster has 7 voters at most.");
    return voters;
}

ExitCode init(const InitArguments& arguments) {
    arguments.format.check();
    dunlin::FormatPlan plan = arguments.format.plan();
    const std::vector<VoterEntry> voters = all_voters(arguments, plan);
    std::vector<dunlin::ledger::MemberRow> rows;
    rows.reserve(voters.size());
    for (const VoterEntry& each : voters) {
        rows.push_back(dunlin::ledger::voter_row(each.node, each.storage, std::as_bytes(std::span(each.address))));
    }
    plan.init = true;
    plan.bootstrap.incarnation = dunlin::ClusterIncarnation{dunlin_asio::random_nonzero_u64()};
    plan.bootstrap.limits = arguments.ledger == "small" ? dunlin::limits::small.ledger : dunlin::limits::voter_min.ledger;
    plan.bootstrap.voter_rate_ppm = arguments.clock_rate_ppm;
    plan.bootstrap.voters = rows;
    make_journal(arguments.format.journal, kVoterJournalBytes, plan);
    std::printf("cluster '%s' made, incarnation %016llx; its voters:", arguments.format.cluster.c_str(),
                static_cast<unsigned long long>(plan.bootstrap.incarnation.value()));
    for (const VoterEntry& each : voters) std::printf(" %u", static_cast<unsigned>(each.node.value()));
    std::printf("\n");
    return kDone;
}

}  // namespace

void add_init(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<InitArguments>();
    CLI::App* const command =
        app.add_subcommand("init", "Make a new cluster: the journal of its first voter, which names all voters. Once a cluster");
    arguments->format.add_to(*command);
    command->add_option("--voter", arguments->voters, "Another voter: the entry that `dunlin join` printed for it; once for each")
        ->type_name("ENTRY")
        ->allow_extra_args(false);
    command->add_option("--ledger", arguments->ledger, "Size of the replicated tables: small, or voter_min where boards vote")
        ->check(CLI::IsMember({"small", "voter_min"}))
        ->capture_default_str();
    command
        ->add_option("--clock-rate-ppm", arguments->clock_rate_ppm, "Bound of the error of every voter's clock rate, in parts in a million")
        ->check(CLI::Range(0, 100'000))
        ->capture_default_str();
    command->callback([&action, arguments] { action = [arguments] { return init(*arguments); }; });
}

}  // namespace dunlin_tool
