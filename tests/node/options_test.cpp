#include <dunlin/node/node_memory.hpp>
#include <dunlin/node/options.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dunlin {
namespace {

Options sound() {
    Options options;
    options.id = NodeId{1};
    options.instance = InstanceId{7};
    return options;
}

TEST(Options, the_defaults_are_sound) {
    std::string_view reason;
    EXPECT_EQ(validate(sound(), reason), Status::ok) << reason;
}

TEST(Options, each_field_out_of_range_is_refused_by_its_name) {
    const std::string_view empty_seed[] = {""};
    const std::vector<std::pair<std::string, std::function<void(Options&)>>> cases{
        {"id", [](Options& o) { o.id = NodeId{}; }},
        {"cluster", [](Options& o) { o.cluster = ""; }},
        {"cluster", [](Options& o) { o.cluster = "a name that is longer than thirty-two bytes"; }},
        {"seed", [&](Options& o) { o.seeds = empty_seed; }},
        {"instance", [](Options& o) { o.instance = InstanceId{}; }},
        {"heartbeat_interval", [](Options& o) { o.heartbeat_interval = milliseconds{1}; }},
        {"session_idle_timeout", [](Options& o) { o.session_idle_timeout = milliseconds{300}; }},
        {"raft_heartbeat", [](Options& o) { o.raft_heartbeat = milliseconds{1}; }},
        {"election_timeout_min", [](Options& o) { o.election_timeout_min = milliseconds{200}; }},
        {"election_timeout_max", [](Options& o) { o.election_timeout_max = milliseconds{600}; }},
        {"election_rank", [](Options& o) { o.election_rank = 4; }},
        {"request_timeout", [](Options& o) { o.request_timeout = milliseconds{1}; }},
        {"clock_rate_bound_ppm", [](Options& o) { o.clock_rate_bound_ppm = 100'001; }},
        {"lease_guard", [](Options& o) { o.lease_guard = Duration{-1}; }},
        {"packet_bytes_max", [](Options& o) { o.packet_bytes_max = 100; }},
        {"attempts_max", [](Options& o) { o.attempts_max = 0; }},
    };
    for (const auto& [field, spoil] : cases) {
        Options options = sound();
        spoil(options);
        std::string_view reason;
        EXPECT_EQ(validate(options, reason), Status::invalid_argument) << field;
        EXPECT_NE(reason.find(field), std::string_view::npos) << field << ": " << reason;
    }
}

TEST(Options, of_a_voter_are_refused_where_its_packets_do_not_carry_the_longest_entry_of_its_ledger) {
    constexpr Limits kBig{.journal_buffer_bytes = 2048,
                          .voter = true,
                          .log_entries = 16,
                          .log_bytes = 2048,
                          .proposals = 1,
                          .ledger = {.leases = 1, .keys = 1, .sessions = 1, .members = 1, .value_bytes = 1024}};
    EXPECT_EQ(packet_bytes_min<limits::micro>(), 576U);
    EXPECT_EQ(packet_bytes_min<limits::voter_min>(), 576U);
    EXPECT_EQ(packet_bytes_min<limits::small>(), consensus::kEntryPacketBytes + 568);
    EXPECT_LE(packet_bytes_min<limits::gateway>(), Options{}.packet_bytes_max);
    EXPECT_LE(packet_bytes_min<kBig>(), Options{}.packet_bytes_max);
    auto memory = std::make_unique<NodeMemory<limits::small>>();
    Options options = sound();
    options.journal_bytes = 256U << 10U;
    options.packet_bytes_max = packet_bytes_min<limits::small>() - 1;
    EXPECT_EQ(memory->emplace(options).start(Instant{}), Status::invalid_argument);
    std::string_view reason;
    EXPECT_EQ(validate(options, reason, packet_bytes_min<limits::small>()), Status::invalid_argument);
    EXPECT_TRUE(reason.starts_with("packet_bytes_max")) << reason;
    ++options.packet_bytes_max;
    EXPECT_EQ(memory->emplace(options).start(Instant{}), Status::ok);
}

TEST(Presets, a_gateway_starts_within_its_memory) {
    auto memory = std::make_unique<NodeMemory<limits::gateway>>();
    Options options = sound();
    options.journal_bytes = journal_device_bytes_min<limits::gateway>();
    EXPECT_EQ(memory->emplace(options).start(Instant{}), Status::ok);
}

}  // namespace
}  // namespace dunlin
