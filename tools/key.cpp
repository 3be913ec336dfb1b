#include "control_client.hpp"
#include "refusal.hpp"
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

nlohmann::ordered_json ask(const KeyArguments& arguments, const nlohmann::ordered_json& request) {
    try {
        return ControlClient(arguments.socket).ask(request);
    } catch (const Refused& refused) {
        const std::string status = refused.reply.value("error", std::string());
        const bool unknown = refused.reply.contains("effect");
        throw ToolError(
            status == to_string(dunlin::Status::not_found) ? kNoSuchKey : kFailed,
            refusal(status, {{dunlin::Status::not_found, "no key '" + arguments.key + "'"},
                             {dunlin::Status::too_large, "the key is longer than 32 bytes, or the value than the ledger allows"},
                             {dunlin::Status::invalid_argument, "'" + arguments.key + "' cannot be a key: 1..32 bytes"},
                             {dunlin::Status::ledger_full, "the ledger is full: it has no room for another key"}}) +
                (unknown ? "; the value may be stored all the same." : "."));
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
