#include "status_json.hpp"

#include "names.hpp"
#include "values.hpp"

#include <dunlin/core/counters.hpp>

#include <nlohmann/json.hpp>
#include <string>

namespace dunlin_tool {
namespace {

using Json = nlohmann::ordered_json;

std::string_view role_of(const dunlin::PeerReport& peer) {
    if (peer.epoch == dunlin::BootEpoch{}) return "unknown";
    return peer.voter ? "voter" : "member";
}

Json peer_json(const dunlin::PeerReport& peer) {
    return {{"id", peer.id.value()},
            {"health", name_of(peer.health)},
            {"session_open", peer.session_open},
            {"role", role_of(peer)},
            {"left", peer.left},
            {"circuit", name_of(peer.circuit)},
            {"epoch", peer.epoch.value()},
            {"rtt_us", dunlin::to_us(peer.rtt)},
            {"silence_ms", dunlin::to_us(peer.silence) / 1000},
            {"packets_lost", peer.packets_lost},
            {"packet_bytes", peer.packet_bytes},
            {"messages_unsettled", peer.messages_unsettled}};
}

Json report_json(const dunlin::StatusReport& report) {
    return {{"id", report.id.value()},
            {"state", name_of(report.state)},
            {"role", to_string(report.role)},
            {"leader", report.leader.value()},
            {"epoch", report.epoch.value()},
            {"cluster", hexadecimal(report.cluster.value())},
            {"storage", hexadecimal(report.storage.value())},
            {"term", report.term.value()},
            {"last_index", report.last_index.value()},
            {"commit", report.commit.value()},
            {"applied", report.applied.value()},
            {"members_index", report.members_index.value()},
            {"feature_level", report.feature_level},
            {"cluster_time_us", report.cluster_time.value()},
            {"replica", dunlin::to_string(report.replica)},
            {"state_hash", hexadecimal(report.state_hash)},
            {"sessions_open", report.sessions_open},
            {"outbox_messages", report.outbox_messages},
            {"outbox_bytes_free", report.outbox_bytes_free},
            {"inbox_messages", report.inbox_messages},
            {"leases_held", report.leases_held}};
}

Json members_json(const dunlin::Node& node) {
    Json members = Json::array();
    for (std::size_t slot = 0; slot < dunlin::kVotersMax; ++slot) {
        const dunlin::ledger::MemberRow row = node.member(slot);
        if (row.storage == 0) continue;
        members.push_back(member_json(row));
    }
    return members;
}

}  // namespace

Json status_json(dunlin::Instant now, const dunlin::Node& node, const dunlin_asio::Udp& udp, bool counters) {
    Json json = report_json(node.status(now));
    json["members"] = members_json(node);
    Json peers = Json::array();
    for (std::size_t i = 0; const auto peer = node.peer(now, i); ++i) peers.push_back(peer_json(*peer));
    json["peers"] = std::move(peers);
    json["transport"] = transport_json(udp);
    if (!counters) return json;
    Json& values = json["counters"];
    for (std::size_t i = 0; i < dunlin::kCounterCount; ++i) {
        const auto counter = static_cast<dunlin::Counter>(i);
        values[std::string(dunlin::info(counter).name)] = node.counters().get(counter);
    }
    return json;
}

Json member_json(const dunlin::ledger::MemberRow& row) {
    return {{"id", row.node},
            {"standing", row.flags == dunlin::ledger::kMemberVoter ? "voter" : "learner"},
            {"address", std::string(reinterpret_cast<const char*>(row.address), row.address_length)},
            {"storage", hexadecimal(row.storage)}};
}

Json event_json(dunlin::Instant now, const dunlin::Event& event) {
    Json json{{"time_us", dunlin::to_us(now.time_since_epoch())}, {"event", dunlin::to_string(event.kind)}};
    if (event.status != dunlin::Status::ok) json["status"] = dunlin::to_string(event.status);
    if (event.outcome != dunlin::Outcome::none) json["outcome"] = dunlin::to_string(event.outcome);
    if (event.effect != dunlin::Effect::none) json["effect"] = "unknown";
    const auto add = [&json](const char* name, std::uint64_t value) {
        if (value != 0) json[name] = value;
    };
    add("node", event.node.value());
    add("slot", event.slot);
    add("request", event.request.value());
    add("subscription", event.subscription.value());
    add("id", event.id);
    add("value", event.value);
    add("detail", event.detail);
    return json;
}

Json transport_json(const dunlin_asio::Udp& udp) {
    const dunlin_asio::SendQueue::Figures& sent = udp.send_figures();
    return {{"datagrams_sent", sent.datagrams_sent},
            {"datagrams_dropped", sent.datagrams_dropped},
            {"datagrams_refused", sent.datagrams_refused},
            {"datagrams_received", udp.figures().datagrams_received},
            {"bytes_sent", sent.bytes_sent},
            {"bytes_received", udp.figures().bytes_received}};
}

}  // namespace dunlin_tool
