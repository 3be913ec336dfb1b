#include <gtest/gtest.h>
#include <node_config.hpp>
#include <tool_error.hpp>
#include <values.hpp>

#include <string>

namespace {

using namespace dunlin_tool;

std::string refusal_of(const std::string& text) {
    try {
        static_cast<void>(read_node_config(text, "f"));
    } catch (const ToolError& error) {
        EXPECT_EQ(error.code, kUsage);
        return error.message;
    }
    return "";
}

TEST(NodeConfig, reads_every_key) {
    const NodeConfig config = read_node_config(R"(
id = 7
cluster = "harbour"
role = "voter"
listen = "0.0.0.0:7001"
seeds = ["10.0.0.2:7001", "[::1]:7002"]
journal = "j"
ledger = "voter_min"
socket = "s"
rejoin = "10.0.0.1:7001"
events = "e"
loss = 0.25
[timing]
heartbeat_interval = "100ms"
session_idle_timeout = "2s"
raft_heartbeat = "50ms"
election_timeout_min = "300ms"
election_timeout_max = "600ms"
request_timeout = "1min"
lease_guard = "500us"
clock_rate_bound_ppm = 200
)",
                                               "f");
    EXPECT_EQ(config.host.id, 7);
    EXPECT_EQ(config.host.cluster, "harbour");
    EXPECT_EQ(config.host.kind, NodeKind::voter_min);
    EXPECT_EQ(config.host.listen, "0.0.0.0:7001");
    EXPECT_EQ(config.host.seeds, (std::vector<std::string>{"10.0.0.2:7001", "[::1]:7002"}));
    EXPECT_EQ(config.host.journal, "j");
    EXPECT_EQ(config.socket, "s");
    EXPECT_EQ(config.rejoin, "10.0.0.1:7001");
    EXPECT_EQ(config.events, "e");
    EXPECT_EQ(config.host.loss_ppm, 250'000U);
    EXPECT_EQ(config.host.timing.heartbeat_interval, dunlin::milliseconds{100});
    EXPECT_EQ(config.host.timing.session_idle_timeout, dunlin::seconds{2});
    EXPECT_EQ(config.host.timing.raft_heartbeat, dunlin::milliseconds{50});
    EXPECT_EQ(config.host.timing.election_timeout_min, dunlin::milliseconds{300});
    EXPECT_EQ(config.host.timing.election_timeout_max, dunlin::milliseconds{600});
    EXPECT_EQ(config.host.timing.request_timeout, dunlin::seconds{60});
    EXPECT_EQ(config.host.timing.lease_guard, dunlin::microseconds{500});
    EXPECT_EQ(config.host.timing.clock_rate_bound_ppm, 200U);
}

TEST(NodeConfig, a_member_needs_an_id_and_an_address_alone) {
    const NodeConfig config = read_node_config("id = 1\nlisten = \"127.0.0.1:0\"\nrole = \"member\"\n", "f");
    EXPECT_EQ(config.host.kind, NodeKind::member);
    EXPECT_EQ(config.host.cluster, "dunlin");
    EXPECT_EQ(config.host.journal, "");
}

TEST(NodeConfig, a_refusal_names_file_line_and_key) {
    EXPECT_EQ(refusal_of("id = 1\nlisten = \"a:1\"\njournal = \"j\"\nspeed = 3\n"), "f:4: speed is no key of this file.");
    EXPECT_EQ(refusal_of("id = -1\n"), "f:1: id must be a whole number, 1..65535.");
    EXPECT_EQ(refusal_of("id = 1\nlisten = \"a:1\"\njournal = \"j\"\n[timing]\nlease_guard = 5\n"),
              "f:5: timing.lease_guard must be a string.");
}

TEST(NodeConfig, only_a_voter_that_can_ask_somebody_joins_anew) {
    const std::string voter = "id = 1\nlisten = \"a:1\"\njournal = \"j\"\nrejoin = \"a:1\"\n";
    const std::string refused = "f:4: rejoin is for voters, and needs seeds: somebody must be asked.";
    EXPECT_EQ(refusal_of(voter), refused);
    EXPECT_EQ(refusal_of(voter + "seeds = [\"b:1\"]\n"), "");
    EXPECT_EQ(refusal_of(voter + "seeds = [\"b:1\"]\nrole = \"member\"\n"), refused);
}

TEST(NodeConfig, letters_beyond_ascii_are_refused_because_toml_plus_plus_stumbles_over_them) {
    const std::string letter = "f:2: only ASCII can be read here, in comments too.";
    EXPECT_EQ(refusal_of("id = 1\nid\xef\xbb\xaf"), letter);                                               // U+FEEF
    EXPECT_EQ(refusal_of("id = 1\n\xc7\x96 = 2"), letter);                                                 // U+01D6
    EXPECT_EQ(refusal_of("id = 1\n# \xe2\xb1\x9e"), letter);                                               // U+2C5E
    EXPECT_EQ(read_node_config("\xef\xbb\xbfid = 1\nlisten = \"a:1\"\njournal = \"j\"", "f").host.id, 1);  // a byte order mark
}

TEST(NodeConfig, relative_paths_of_a_text_stay_as_they_are) {
    EXPECT_EQ(read_node_config("id = 1\nlisten = \"a:1\"\njournal = \"x/j\"\n", "f").host.journal, "x/j");
}

TEST(Values, durations_have_a_unit) {
    EXPECT_EQ(read_duration("250us"), dunlin::microseconds{250});
    EXPECT_EQ(read_duration("0s"), dunlin::seconds{0});
    EXPECT_EQ(read_duration("2min"), dunlin::seconds{120});
    EXPECT_EQ(read_duration("1h"), dunlin::seconds{3600});
    for (const char* const text : {"", "5", "s", "-1s", "1.5s", "1 s", "1S", "99999999999999999999s", "9223372036854775807h"}) {
        EXPECT_EQ(read_duration(text), std::nullopt) << text;
    }
}

TEST(Values, a_share_is_between_none_and_all) {
    EXPECT_EQ(to_ppm(0.05), 50'000U);
    EXPECT_EQ(to_ppm(1.0), 1'000'000U);
    EXPECT_EQ(to_ppm(-0.01), std::nullopt);
    EXPECT_EQ(to_ppm(1.01), std::nullopt);
}

TEST(Values, an_address_has_a_host_and_a_port) {
    EXPECT_TRUE(is_address("127.0.0.1:7001", false));
    EXPECT_TRUE(is_address("[::1]:7001", false));
    EXPECT_TRUE(is_address("pier.example:0", true));
    for (const char* const text : {"", ":1", "a", "a:", "a:0", "a:65536", "a:b", "::1:7"}) EXPECT_FALSE(is_address(text, false)) << text;
}

}  // namespace
