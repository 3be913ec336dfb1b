#include "control_client.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"

#include <dunlin/core/status.hpp>
#include <dunlin/node/presets.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace dunlin_tool {
namespace {

constexpr const char* kStartStatuses = "2 wrong command line;\n3 no node answers at the socket.";

struct KeyArguments {
    std::string socket;
    std::string key;
    std::string value;
};

// As a sentence for people, what the node calls by the name of a Status.
std::string sentence_of(const std::string& status, const std::string& key) {
    if (status == to_string(dunlin::Status::not_found)) return "no key '" + key + "'";
    if (status == to_string(dunlin::Status::no_quorum)) return "no quorum: no leader that a majority of the voters follows has answered";
    if (status == to_string(dunlin::Status::timed_out)) return "the cluster gave no answer in time";
    if (status == to_string(dunlin::Status::too_large)) return "the key is longer than 32 bytes, or the value than the ledger allows";
    if (status == to_string(dunlin::Status::invalid_argument)) return "'" + key + "' cannot be a key: 1..32 bytes";
    if (status == to_string(dunlin::Status::ledger_full)) return "the ledger is full: it has no room for another key";
    if (status == to_string(dunlin::Status::session_evicted)) return "the cluster no longer knows this node's session";
    if (status == to_string(dunlin::Status::busy)) return "the node has as many requests under way as it can; try again";
    if (status == to_string(dunlin::Status::recovering)) return "the node still reads its journal; try again";
    if (status == to_string(dunlin::Status::shutting_down)) return "the node is stopping";
    return "the node refuses: " + status;
}

nlohmann::ordered_json ask(const KeyArguments& arguments, const nlohmann::ordered_json& request) {
    try {
        return ControlClient(arguments.socket).ask(request);
    } catch (const Refused& refused) {
        const std::string status = refused.reply.value("error", std::string());
        const bool unknown = refused.reply.contains("effect");
        throw ToolError(status == to_string(dunlin::Status::not_found) ? kNoSuchKey : kFailed,
                        sentence_of(status, arguments.key) + (unknown ? "; the value may be stored all the same." : "."));
    }
}

ExitCode put(const KeyArguments& arguments) {
    const auto reply = ask(arguments, {{"request", "put"}, {"key", arguments.key}, {"value", arguments.value}});
    std::printf("revision %s\n", reply.at("revision").dump().c_str());
    return kDone;
}

ExitCode get(const KeyArguments& arguments) {
    const auto reply = ask(arguments, {{"request", "get"}, {"key", arguments.key}});
    std::printf("%s\n", reply.value("value", std::string()).c_str());
    return kDone;
}

}  // namespace

void add_key(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<KeyArguments>();
    CLI::App* const command = app.add_subcommand("key", "Store and read small values that the whole cluster agrees on");
    command->require_subcommand(1);
    const auto add_socket = [&arguments](CLI::App& verb) {
        verb.add_option("--socket", arguments->socket, "Unix socket of a running node (`socket` in its configuration)")->required();
    };

    CLI::App* const put_command = command->add_subcommand("put", "Store VALUE under KEY; prints its revision once a majority has it");
    put_command->add_option("KEY", arguments->key, "1..32 bytes")->required();
    put_command
        ->add_option("VALUE", arguments->value,
                     "As long as the cluster's ledger allows (" + std::to_string(dunlin::limits::small.ledger.value_bytes) +
                         " bytes with `ledger = \"small\"`)")
        ->required();
    add_socket(*put_command);
    put_command->footer(std::string("Exit status: 0 a majority has stored it; 1 refused, and the sentence says why; ") + kStartStatuses);
    put_command->callback([&action, arguments] { action = [arguments] { return put(*arguments); }; });

    CLI::App* const get_command = command->add_subcommand("get", "Print the value of KEY, as of now and not older");
    get_command->add_option("KEY", arguments->key, "1..32 bytes")->required();
    add_socket(*get_command);
    get_command->footer(
        std::string("Exit status: 0 the value was printed; 4 there is no such key; 1 refused, and the sentence says why; ") +
        kStartStatuses);
    get_command->callback([&action, arguments] { action = [arguments] { return get(*arguments); }; });
}

}  // namespace dunlin_tool
