#include "control_client.hpp"
#include "subcommands.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <thread>

namespace dunlin_tool {
namespace {

using Json = nlohmann::ordered_json;

struct StatusArguments {
    std::string socket;
    bool json = false;
    bool counters = false;
    bool watch = false;
};

std::string plain(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void print_peer(const Json& peer) {
    const bool answered = peer.at("id") != 0;
    const std::string health = peer.at("left") == true ? "left" : plain(peer.at("health"));
    const std::string circuit = peer.at("circuit") == "closed" ? "" : ", circuit " + plain(peer.at("circuit"));
    std::printf("  %-6s %-8s %-10s %-7s rtt %s us, silent %s ms, lost %s, unsettled %s%s\n",
                answered ? ("node " + plain(peer.at("id"))).c_str() : "seed", health.c_str(),
                peer.at("session_open") == true ? "connected" : "no session", plain(peer.at("role")).c_str(),
                plain(peer.at("rtt_us")).c_str(), plain(peer.at("silence_ms")).c_str(), plain(peer.at("packets_lost")).c_str(),
                plain(peer.at("messages_unsettled")).c_str(), circuit.c_str());
}

void print_for_people(const Json& status) {
    const std::string leader = status.at("leader") == 0 ? "none known" : "node " + plain(status.at("leader"));
    std::printf("node %s: %s, %s; leader: %s, term %s\n", plain(status.at("id")).c_str(), plain(status.at("state")).c_str(),
                plain(status.at("role")).c_str(), leader.c_str(), plain(status.at("term")).c_str());
    std::printf("cluster %s, boot epoch %s, storage %s\n", plain(status.at("cluster")).c_str(), plain(status.at("epoch")).c_str(),
                plain(status.at("storage")).c_str());
    std::printf("log: last %s, committed %s, applied %s, replica %s, state %s\n", plain(status.at("last_index")).c_str(),
                plain(status.at("commit")).c_str(), plain(status.at("applied")).c_str(), plain(status.at("replica")).c_str(),
                plain(status.at("state_hash")).c_str());
    std::printf("outbox: %s messages, %s bytes free; inbox: %s messages; leases held here: %s\n",
                plain(status.at("outbox_messages")).c_str(), plain(status.at("outbox_bytes_free")).c_str(),
                plain(status.at("inbox_messages")).c_str(), plain(status.at("leases_held")).c_str());
    for (const Json& each : status.at("members"))
        std::printf("member node %s: %s, %s\n", plain(each.at("id")).c_str(), plain(each.at("standing")).c_str(),
                    plain(each.at("address")).c_str());
    for (const Json& peer : status.at("peers")) print_peer(peer);
    if (!status.contains("counters")) return;
    for (const auto& [name, value] : status.at("counters").items()) std::printf("%s %s\n", name.c_str(), plain(value).c_str());
}

ExitCode print_status(const StatusArguments& arguments) {
    ControlClient client(arguments.socket);
    for (;;) {
        Json status = client.ask({{"request", "status"}, {"counters", arguments.counters}});
        status.erase("ok");
        if (arguments.json) {
            std::printf("%s\n", status.dump().c_str());
        } else {
            print_for_people(status);
        }
        if (std::fflush(stdout) != 0) return kFailed;
        if (!arguments.watch) return kDone;
        if (!arguments.json) std::printf("\n");
        std::this_thread::sleep_for(std::chrono::seconds{1});
    }
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<StatusArguments>();
    CLI::App* const command = app.add_subcommand("status", "Show what a running node knows of itself and its peers");
    command->add_option("--socket", arguments->socket, "Unix socket of the node (`socket` in its configuration)")->required();
    command->add_flag("--json", arguments->json, "One JSON object a line");
    command->add_flag("--counters", arguments->counters, "Also every counter");
    command->add_flag("--watch", arguments->watch, "Again every second, until interrupted");
    command->callback([&action, arguments] { action = [arguments] { return print_status(*arguments); }; });
}

}  // namespace dunlin_tool
