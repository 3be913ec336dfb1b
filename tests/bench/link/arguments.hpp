#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace link_bench {

// What link_bench.py tells a contender: words of the form name=value.
struct Arguments {
    bool publisher = false;             // role=pub | sub
    std::string mode = "throughput";    // or "roundtrip", "rate" (Dunlin), "fanout" (Dunlin)
    std::string variant;                // of the contender, in its own words
    std::size_t payload_bytes = 64;     // at least 8
    std::size_t datagram_bytes = 1472;  // longest UDP payload, where the contender sends datagrams of its own
    std::uint16_t port = 0;             // on loopback: the subscriber's, or the broker's
    std::int64_t begin_ns = 0;          // of the measurement, on CLOCK_MONOTONIC
    std::int64_t end_ns = 0;
    bool busy = false;              // spin instead of sleeping
    std::uint64_t rate = 0;         // messages a second to offer, mode "rate"
    std::uint32_t loss_ppm = 0;     // injected by both sides on sending
    std::uint16_t subscribers = 1;  // mode "fanout"

    // Of the clients of ./run bench consensus and failover, see consensus/load.hpp.
    std::string servers;              // whom to ask: host:port, with commas between them
    std::uint16_t clients = 1;        // puts under way at a time
    std::uint32_t pause_us = 10'000;  // between a client's puts, mode "paced"
    std::uint32_t election_ms = 500;  // the voters' election_timeout_min
};

// Exits with 2 on a word that it does not know.
[[nodiscard]] Arguments parse(int count, char** words);

}  // namespace link_bench
