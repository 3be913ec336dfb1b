#include "control_client.hpp"
#include "subcommands.hpp"

#include <dunlin/node/presets.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace dunlin_tool {
namespace {

struct KeyArguments {
    std::string socket;
    std::string key;
    std::string value;
};

ExitCode put(const KeyArguments& arguments) {
    const auto reply = ControlClient(arguments.socket).ask({{"request", "put"}, {"key", arguments.key}, {"value", arguments.value}});
    std::printf("revision %s\n", reply.at("revision").dump().c_str());
    return kDone;
}

ExitCode get(const KeyArguments& arguments) {
    const auto reply = ControlClient(arguments.socket).ask({{"request", "get"}, {"key", arguments.key}});
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
    put_command->callback([&action, arguments] { action = [arguments] { return put(*arguments); }; });

    CLI::App* const get_command = command->add_subcommand("get", "Print the value of KEY, as of now and not older");
    get_command->add_option("KEY", arguments->key, "1..32 bytes")->required();
    add_socket(*get_command);
    get_command->callback([&action, arguments] { action = [arguments] { return get(*arguments); }; });
}

}  // namespace dunlin_tool
