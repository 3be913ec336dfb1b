#include "control_client.hpp"
#include "refusal.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"
#include "values.hpp"
#include "voter_entry.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace dunlin_tool {
namespace {

using Json = nlohmann::ordered_json;

struct MemberArguments {
    std::string socket;
    std::string entry;
    std::uint16_t node = 0;
    bool json = false;
};

Json ask(const MemberArguments& arguments, const Json& request, std::initializer_list<Meaning> meanings) {
    try {
        return ControlClient(arguments.socket).ask(request);
    } catch (const Refused& refused) {
        const bool unknown = refused.reply.contains("effect");
        throw ToolError(kFailed, refusal(refused.reply.value("error", std::string()), meanings) +
                                     (unknown ? "; it may be done all the same, see `dunlin member list`." : "."));
    }
}

ExitCode list(const MemberArguments& arguments) {
    const Json status = ask(arguments, Json::object({{"request", "status"}}), {});
    const Json& members = status.at("members");
    if (members.empty()) {
        throw ToolError(kFailed,
                        "node " + status.at("id").dump() + " knows no members: it is no voter, or has not heard of its cluster yet.");
    }
    if (arguments.json) {
        std::printf("%s\n", Json{{"index", status.at("members_index")}, {"members", members}}.dump().c_str());
        return kDone;
    }
    std::printf("members since log index %s, as node %s knows them:\n", status.at("members_index").dump().c_str(),
                status.at("id").dump().c_str());
    for (const Json& each : members) {
        std::printf("  node %-5s %-7s %-21s storage %s\n", each.at("id").dump().c_str(), each.at("standing").get<std::string>().c_str(),
                    each.at("address").get<std::string>().c_str(), each.at("storage").get<std::string>().c_str());
    }
    return kDone;
}

ExitCode change(const MemberArguments& arguments, const Json& request, const char* done, std::initializer_list<Meaning> meanings) {
    const Json reply = ask(arguments, request, meanings);
    std::printf("node %s %s; log index %s\n", request.at("id").dump().c_str(), done, reply.at("index").dump().c_str());
    return kDone;
}

ExitCode add(const MemberArguments& arguments) {
    const std::optional<VoterEntry> entry = read_voter_entry(arguments.entry);
    if (!entry) throw ToolError(kUsage, "'" + arguments.entry + "' is no entry ID:STORAGE@HOST:PORT as `dunlin join` prints it.");
    const std::string node = "node " + std::to_string(entry->node.value());
    return change(arguments,
                  {{"request", "member"},
                   {"op", "add"},
                   {"id", entry->node.value()},
                   {"storage", hexadecimal(entry->storage.value())},
                   {"address", entry->address}},
                  "is a learner now",
                  {{dunlin::Status::invalid_argument, node + " is a member already"},
                   {dunlin::Status::ledger_full, "the cluster has as many members as its ledger holds; remove one first"},
                   {dunlin::Status::too_large, "the address '" + entry->address + "' is too long"}});
}

ExitCode remove(const MemberArguments& arguments) {
    const std::string node = "node " + std::to_string(arguments.node);
    return change(arguments, {{"request", "member"}, {"op", "remove"}, {"id", arguments.node}}, "is no member any more",
                  {{dunlin::Status::not_found, node + " is no member"},
                   {dunlin::Status::invalid_argument, node + " is the last voter: without it there would be no cluster"}});
}

ExitCode promote(const MemberArguments& arguments) {
    const std::string node = "node " + std::to_string(arguments.node);
    return change(arguments, {{"request", "member"}, {"op", "promote"}, {"id", arguments.node}}, "votes now",
                  {{dunlin::Status::not_found, node + " is no member: see `dunlin member add`"},
                   {dunlin::Status::invalid_argument, node + " is a voter already"},
                   {dunlin::Status::timed_out, node + " has not caught up with the log, or another change is under way; try again"}});
}

ExitCode demote(const MemberArguments& arguments) {
    const std::string node = "node " + std::to_string(arguments.node);
    return change(arguments, {{"request", "member"}, {"op", "demote"}, {"id", arguments.node}}, "is a learner now",
                  {{dunlin::Status::not_found, node + " is no member"},
                   {dunlin::Status::invalid_argument, node + " is a learner already, or the last voter"}});
}

ExitCode transfer(const MemberArguments& arguments) {
    const std::string node = "node " + std::to_string(arguments.node);
    static_cast<void>(ask(arguments, {{"request", "transfer"}, {"id", arguments.node}},
                          {{dunlin::Status::not_found, node + " is no voter"},
                           {dunlin::Status::timed_out, node + " has not taken over: it may be down or behind; try again"}}));
    std::printf("%s leads\n", node.c_str());
    return kDone;
}

}  // namespace

void add_member(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<MemberArguments>();
    CLI::App* const command = app.add_subcommand("member", "See and change who votes, one node at a time, while the cluster works");
    command->require_subcommand(1);
    command->footer(
        "A new voter: `dunlin join` makes its journal and prints its entry; start it with `dunlin node` and a voter among its seeds; then\n"
        "`dunlin member add ENTRY`, and `dunlin member promote NODE` once it has caught up (promote waits for that a little).");
    const auto add_verb = [&](const char* name, const char* what, const char* done, ExitCode (*run)(const MemberArguments&)) {
        CLI::App* const verb = command->add_subcommand(name, what);
        verb->add_option("--socket", arguments->socket, "Unix socket of a running node (`socket` in its configuration)")->required();
        verb->footer(std::string("Exit status: 0 ") + done +
                     "; 1 refused, and the sentence says why; 2 wrong command line;\n3 no node answers at the socket.");
        verb->callback([&action, arguments, run] { action = [arguments, run] { return run(*arguments); }; });
        return verb;
    };
    const auto add_node = [&](CLI::App* verb, const char* what) {
        verb->add_option("NODE", arguments->node, what)->required()->check(CLI::Range(1, 65535));
    };
    CLI::App* const list_verb = add_verb("list", "Show the members, as the voter at the socket knows them", "they were printed", list);
    list_verb->add_flag("--json", arguments->json, "One JSON object");
    CLI::App* const add_entry =
        add_verb("add", "Make a node a learner: it is sent the log, and does not vote yet", "it is a learner", dunlin_tool::add);
    add_entry->add_option("ENTRY", arguments->entry, "What `dunlin join` printed for it: ID:STORAGE@HOST:PORT")->required();
    add_node(add_verb("promote", "Make a learner a voter, as soon as it has the log", "it votes", promote), "Id of a learner");
    add_node(add_verb("demote", "Make a voter a learner", "it is a learner", demote), "Id of a voter");
    add_node(add_verb("remove", "Take a voter or a learner out; its process is yours to stop", "it is no member", remove),
             "Id of a member");
    add_node(add_verb("transfer", "Have another voter lead", "it leads", transfer), "Id of a voter");
}

}  // namespace dunlin_tool
