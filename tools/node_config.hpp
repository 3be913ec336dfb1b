#pragma once

#include "hosted_node.hpp"

#include <string>
#include <string_view>

namespace dunlin_tool {

// The file behind `dunlin node -c FILE`, in TOML. Keys, with their defaults; a key without one must be there:
//
//     id = 1                          # 1..65535, unique in the cluster
//     cluster = "dunlin"              # 1..32 bytes; nodes of another name never talk to this one
//     role = "voter"                  # or "member"
//     listen = "0.0.0.0:7001"         # UDP, host:port
//     seeds = ["10.0.0.2:7001"]       # whom to contact first; default: none
//     journal = "node.journal"        # made by `dunlin init` or `dunlin join`; a member may go without
//     rejoin = "10.0.0.1:7001"        # voter: its journal, once corrupt, is set aside, and it joins anew, reached here; default: it stops
//     ledger = "small"                # voter: as the cluster was made with; or "voter_min"
//     socket = "node.socket"          # for `dunlin status`, `key` and `member`; default: none
//     events = "events.jsonl"         # each event as a line of JSON; default: none
//     loss = 0.0                      # share of packets to drop on sending, 0..1
//     [timing]                        # see node/options.hpp for ranges and defaults
//     heartbeat_interval = "200ms"
//     session_idle_timeout = "3s"
//     raft_heartbeat = "100ms"
//     election_timeout_min = "500ms"
//     election_timeout_max = "1s"
//     election_rank = 0               # 0..3: voters of rank 0 lead first, those on batteries last
//     request_timeout = "5s"
//     lease_guard = "5ms"
//     clock_rate_bound_ppm = 1000
//
// Relative paths start at the file's own folder.
struct NodeConfig {
    HostSettings host;
    std::string socket;
    std::string events;
    std::string rejoin;  // address; empty: never
};

// Throws ToolError(kUsage) with a sentence that names `name`:line and the key: not TOML, an unknown or missing key, a wrong
// type, a value out of range.
[[nodiscard]] NodeConfig read_node_config(std::string_view text, const std::string& name);
// The same from a file. Also where it cannot be read.
[[nodiscard]] NodeConfig read_node_config_file(const std::string& path);

}  // namespace dunlin_tool
