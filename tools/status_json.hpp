#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/node/node.hpp>

#include <dunlin_asio/udp.hpp>

#include <nlohmann/json_fwd.hpp>

namespace dunlin_tool {

// A node's StatusReport, its peers and its socket's figures; with `counters` also every named counter. Numbers of 64 bits
// that are names (incarnation, storage, hash) are hexadecimal text, since JSON readers round large numbers.
[[nodiscard]] nlohmann::ordered_json status_json(dunlin::Instant now, const dunlin::Node& node, const dunlin_asio::Udp& udp, bool counters);

// An event with those of its fields that are not zero, and the time in microseconds of CLOCK_BOOTTIME.
[[nodiscard]] nlohmann::ordered_json event_json(dunlin::Instant now, const dunlin::Event& event);

// {"id": 4, "standing": "learner", "address": "10.0.0.4:7001", "storage": "00f3..."}
[[nodiscard]] nlohmann::ordered_json member_json(const dunlin::ledger::MemberRow& row);

// What the socket has sent, dropped by injected loss, and received.
[[nodiscard]] nlohmann::ordered_json transport_json(const dunlin_asio::Udp& udp);

}  // namespace dunlin_tool
