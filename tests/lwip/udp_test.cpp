#include "lwip/far_end.hpp"

#include <dunlin_lwip/udp.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin_lwip {
namespace {

using dunlin::PathId;
using dunlin::Status;
using lwip_test::Arp;
using lwip_test::Datagram;
using lwip_test::endpoint;
using lwip_test::fake_port;
using lwip_test::FarEnd;
using lwip_test::Frame;

constexpr std::string_view kOwn = "10.9.0.13:7000";

struct Inbox {
    void operator()(const Udp::Received& received) {
        texts.emplace_back(reinterpret_cast<const char*>(received.bytes.data()), received.bytes.size());
        paths.push_back(received.path);
        evicted.push_back(received.evicted);
    }
    std::vector<std::string> texts;
    std::vector<PathId> paths;
    std::vector<PathId> evicted;
};

// A board's port, open, on a wire with one other host.
class LwipUdp : public testing::Test {
  protected:
    LwipUdp() { lwip_test::reset_fake_port(); }
    ~LwipUdp() override {
        if (open_) udp.close();
    }
    void open(UdpOptions options = {}) {
        if (options.address.empty()) options.address = kOwn;
        std::string_view reason;
        ASSERT_EQ(udp.open(options, reason), Status::ok) << reason;
        open_ = true;
        far.serve();  // the board announces its address
    }
    std::string refusal(const UdpOptions& options) {
        Udp refused;
        std::string_view reason;
        EXPECT_EQ(refused.open(options, reason), Status::invalid_argument);
        return std::string(reason);
    }
    bool send(PathId path, std::string_view text) {
        const std::span<std::byte> buffer = udp.next_buffer();
        if (buffer.size() < text.size()) return false;
        std::memcpy(buffer.data(), text.data(), text.size());
        return udp.push({path, text.size()});
    }
    PathId dial(std::string_view text) { return udp.dial(endpoint(text)).path; }
    std::size_t receive() { return udp.receive(dunlin::Callback<void(const Udp::Received&)>::of(inbox)); }
    void ask_for(Ipv4Address address) {
        fake_port().received.push_back(
            write(Arp{.frame_to = lwip_test::kBroadcast, .sender_mac = far.mac, .sender = far.endpoint.address, .target = address}));
    }
    // What is on its way arrives: questions, answers, and what waited for them.
    void settle() {
        far.serve();
        receive();
        far.serve();
    }
    void pass(dunlin::Duration duration) {
        fake_port().now += duration;
        udp.pass_time(fake_port().now);
    }

    Udp udp;
    FarEnd far{.endpoint = endpoint("10.9.0.1:7000"), .mac = {0x02, 0, 0x0a, 0x09, 0, 0x01}};
    Inbox inbox;

  private:
    bool open_ = false;
};

TEST_F(LwipUdp, sends_the_first_packet_to_a_new_address_once_that_is_known) {
    open();
    const PathId path = dial("10.9.0.1:7000");
    ASSERT_TRUE(send(path, "hello"));
    EXPECT_TRUE(udp.all_sent());
    settle();
    EXPECT_EQ(far.questions, 1U);
    ASSERT_EQ(far.texts(), std::vector<std::string>{"hello"});
    EXPECT_EQ(far.datagrams[0].from, endpoint(kOwn));
    EXPECT_EQ(far.datagrams[0].mac_from, (port::MacAddress{0x02, 0, 10, 9, 0, 13}));
    ASSERT_TRUE(send(path, "again"));
    far.serve();
    EXPECT_EQ(far.texts(), (std::vector<std::string>{"hello", "again"}));
    EXPECT_EQ(far.questions, 1U);
    EXPECT_EQ(udp.figures().datagrams_sent, 2U);
    EXPECT_EQ(udp.figures().bytes_sent, 10U);
}

TEST_F(LwipUdp, receives_in_place_and_answers_on_the_same_path) {
    open();
    far.send(endpoint(kOwn), "ping");
    EXPECT_TRUE(udp.has_input());
    EXPECT_EQ(receive(), 1U);
    EXPECT_FALSE(udp.has_input());
    ASSERT_EQ(inbox.texts, std::vector<std::string>{"ping"});
    EXPECT_EQ(dial("10.9.0.1:7000"), inbox.paths[0]);
    ASSERT_TRUE(send(inbox.paths[0], "pong"));
    settle();
    EXPECT_EQ(far.texts(), std::vector<std::string>{"pong"});
    EXPECT_EQ(udp.figures().datagrams_received, 1U);
    EXPECT_EQ(udp.figures().bytes_received, 4U);
}

TEST_F(LwipUdp, hands_over_bytes_that_are_aligned_to_a_word) {
    open();
    far.send(endpoint(kOwn), "word");
    auto check = [](const Udp::Received& received) { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(received.bytes.data()) % 4, 0U); };
    EXPECT_EQ(udp.receive(dunlin::Callback<void(const Udp::Received&)>::of(check)), 1U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(udp.next_buffer().data()) % 4, 0U);
}

TEST_F(LwipUdp, carries_the_longest_packet_each_way) {
    open();
    const std::string longest(1472, 'x');
    ASSERT_EQ(udp.next_buffer().size(), longest.size());
    ASSERT_TRUE(send(dial("10.9.0.1:7000"), longest));
    settle();
    EXPECT_EQ(far.texts(), std::vector<std::string>{longest});
    far.send(endpoint(kOwn), longest);
    receive();
    EXPECT_EQ(inbox.texts, std::vector<std::string>{longest});
}

TEST_F(LwipUdp, drops_and_counts_a_datagram_longer_than_any_packet) {
    open({.packet_bytes_max = 1200});
    far.send(endpoint(kOwn), std::string(1201, 'x'));
    far.send(endpoint(kOwn), std::string(1200, 'y'));
    receive();
    EXPECT_EQ(inbox.texts, std::vector<std::string>{std::string(1200, 'y')});
    EXPECT_EQ(udp.figures().datagrams_too_long, 1U);
}

TEST_F(LwipUdp, drops_and_counts_frames_that_no_network_of_ours_carries) {
    open();
    fake_port().received.emplace_back(1515);
    fake_port().received.emplace_back(41);
    far.send(endpoint(kOwn), "fits");
    EXPECT_EQ(receive(), 3U);
    EXPECT_EQ(inbox.texts, std::vector<std::string>{"fits"});
    EXPECT_EQ(udp.ethernet_figures().frames_malformed, 2U);
}

TEST_F(LwipUdp, reads_a_bounded_number_of_frames_and_knows_that_there_are_more) {
    open();
    for (std::size_t i = 0; i < Udp::kFramesPerRead + 3; ++i) far.send(endpoint(kOwn), std::to_string(i));
    EXPECT_EQ(receive(), Udp::kFramesPerRead);
    EXPECT_TRUE(udp.has_input());
    EXPECT_EQ(receive(), 3U);
    EXPECT_EQ(inbox.texts.back(), std::to_string(Udp::kFramesPerRead + 2));
}

// Each frame with one bit changed, one after the other.
TEST_F(LwipUdp, hands_over_no_datagram_with_a_wrong_checksum) {
    open();
    const std::string payload = "what was sent";
    far.send(endpoint(kOwn), payload);
    const Frame whole = fake_port().received.front();
    receive();
    ASSERT_EQ(inbox.texts, std::vector<std::string>{payload});
    for (std::size_t byte = lwip_test::kIpAt; byte < whole.size(); ++byte) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            Frame broken = whole;
            broken[byte] ^= static_cast<std::byte>(1U << bit);
            fake_port().received.push_back(broken);
            receive();
            ASSERT_EQ(inbox.texts.size(), 1U) << "byte " << byte << " bit " << bit;
        }
    }
    fake_port().received.push_back(whole);
    receive();
    EXPECT_EQ(inbox.texts.size(), 2U);
}

TEST_F(LwipUdp, takes_nothing_that_is_for_others) {
    open();
    ask_for({0x0a09000e});
    receive();
    EXPECT_TRUE(fake_port().sent.empty()) << "answered a question about another's address";
    far.send(endpoint("10.9.0.14:7000"), "another address");
    far.send(endpoint("10.9.0.13:7001"), "another port");
    EXPECT_EQ(receive(), 2U);
    EXPECT_TRUE(inbox.texts.empty());
}

TEST_F(LwipUdp, tells_its_ethernet_address_to_who_asks) {
    open();
    ask_for(endpoint(kOwn).address);
    receive();
    ASSERT_EQ(fake_port().sent.size(), 1U);
    const std::optional<Arp> answer = lwip_test::read_arp(fake_port().sent.front());
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->reply);
    EXPECT_EQ(answer->sender, endpoint(kOwn).address);
    EXPECT_EQ(answer->sender_mac, fake_port().mac);
    EXPECT_EQ(answer->frame_to, far.mac);
}

TEST_F(LwipUdp, keeps_what_the_controller_has_no_room_for_and_loses_nothing) {
    open();
    const PathId path = dial("10.9.0.1:7000");
    ASSERT_TRUE(send(path, "0"));
    settle();
    std::vector<std::string> expected{"0"};
    fake_port().room = 0;
    for (int i = 1; i <= 50; ++i) {
        const std::string text = "packet " + std::to_string(i) + std::string(static_cast<std::size_t>(i) * 20, '.');
        ASSERT_TRUE(send(path, text));
        expected.push_back(text);
        ASSERT_FALSE(udp.all_sent());
        ASSERT_TRUE(udp.next_buffer().empty());
        ASSERT_TRUE(udp.next_buffer().empty());
        fake_port().room = 1;
        ASSERT_FALSE(udp.next_buffer().empty());
        ASSERT_TRUE(udp.all_sent());
        ASSERT_EQ(fake_port().room, 0U);
    }
    far.serve();
    EXPECT_EQ(far.texts(), expected);
    EXPECT_EQ(udp.figures().datagrams_sent, 51U);
    EXPECT_EQ(udp.figures().times_blocked, 150U);
}

// Each of them keeps some of lwIP's memory until lwIP gives the question up. When there is no more, that costs only who else must wait.
TEST_F(LwipUdp, what_waits_for_addresses_that_nobody_has_holds_back_nobody_else) {
    open();
    const PathId path = dial("10.9.0.1:7000");
    ASSERT_TRUE(send(path, "0"));
    settle();
    std::vector<std::string> expected{"0"};
    for (unsigned i = 1; i <= 30; ++i) {
        ASSERT_TRUE(send(dial("10.9.0." + std::to_string(100 + i) + ":7000"), std::string(i % 3 == 0 ? 1472 : 150, 'x')));
        EXPECT_TRUE(udp.all_sent());
        expected.push_back(std::to_string(i) + std::string(1000, '.'));
        ASSERT_TRUE(send(path, expected.back()));
        settle();
        ask_for(endpoint(kOwn).address);
        receive();
        ASSERT_EQ(fake_port().sent.size(), 1U) << "no memory to tell its own address, after " << i;
    }
    EXPECT_EQ(far.texts(), expected);
    EXPECT_GT(udp.figures().datagrams_refused, 0U) << "never without memory";
    EXPECT_EQ(udp.figures().times_blocked, 0U);

    for (int second = 0; second < 6; ++second) pass(dunlin::seconds{1});
    const std::uint64_t refused = udp.figures().datagrams_refused;
    FarEnd late{.endpoint = endpoint("10.9.0.99:7000"), .mac = {0x02, 0, 0x0a, 0x09, 0, 99}};
    ASSERT_TRUE(send(dial("10.9.0.99:7000"), std::string(1472, 'y')));
    late.serve();
    receive();
    late.serve();
    EXPECT_EQ(late.texts(), std::vector<std::string>{std::string(1472, 'y')});
    EXPECT_EQ(udp.figures().datagrams_refused, refused);
}

// Packets of full length to neighbours that do not exist take the memory; who is there is asked for all the same.
TEST_F(LwipUdp, asks_for_an_address_for_which_nothing_can_wait) {
    open();
    const PathId path = dial("10.9.0.1:7000");
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(send(dial("10.9.0.100:7000"), std::string(1472, 'x')));
        ASSERT_TRUE(send(dial("10.9.0.101:7000"), std::string(1472, 'x')));
        ASSERT_TRUE(send(path, std::string(1472, '.')));
        settle();
        EXPECT_EQ(far.datagrams.size(), static_cast<std::size_t>(round));
    }
    EXPECT_EQ(far.questions, 1U);
}

// The peer's Ethernet address is pushed out by others while its packet waits for the controller.
TEST_F(LwipUdp, asks_again_for_an_address_that_was_forgotten_while_the_controller_had_no_room) {
    open();
    const PathId path = dial("10.9.0.1:7000");
    ASSERT_TRUE(send(path, "first"));
    settle();
    fake_port().room = 0;
    ASSERT_TRUE(send(path, "waits"));
    ASSERT_FALSE(udp.all_sent());
    pass(dunlin::seconds{1});
    for (std::uint8_t host = 100; host < 116; ++host) {
        fake_port().received.push_back(write(Arp{.frame_to = lwip_test::kBroadcast,
                                                 .sender_mac = {0x02, 0, 0x0a, 0x09, 0, host},
                                                 .sender = endpoint("10.9.0." + std::to_string(host) + ":1").address,
                                                 .target = endpoint(kOwn).address}));
    }
    receive();
    fake_port().room = 100;
    ASSERT_FALSE(udp.next_buffer().empty());
    settle();
    EXPECT_EQ(far.questions, 2U);
    ASSERT_TRUE(send(path, "goes on"));
    ASSERT_TRUE(send(path, std::string(1472, '.')));
    far.serve();
    EXPECT_EQ(far.texts(), (std::vector<std::string>{"first", "waits", "goes on", std::string(1472, '.')}));
}

// All strangers of other networks are behind that one neighbour.
TEST_F(LwipUdp, asks_for_its_gateway_whoever_it_answers) {
    open({.gateway = "10.9.0.1"});
    FarEnd gateway{.endpoint = endpoint("10.9.0.1:7000"), .mac = far.mac, .answers = false};
    FarEnd stranger{.endpoint = endpoint("10.9.0.100:7000"), .mac = far.mac, .answers = false};
    for (FarEnd each : {stranger, FarEnd{.endpoint = endpoint("192.0.2.7:7000"), .mac = far.mac}}) {
        each.send(endpoint(kOwn), "hello");
        receive();
        ASSERT_TRUE(send(inbox.paths.back(), "who are you"));
    }
    gateway.serve();
    EXPECT_EQ(gateway.questions, 1U);
    EXPECT_EQ(udp.figures().datagrams_refused, 0U);
}

// lwIP asks for those itself, past any gateway.
TEST_F(LwipUdp, neither_hears_nor_dials_a_link_local_address_of_another_network) {
    open({.gateway = "10.9.0.1"});
    FarEnd gateway{.endpoint = endpoint("10.9.0.1:7000"), .mac = far.mac};
    ASSERT_TRUE(send(dial("192.0.2.7:7000"), "away"));
    gateway.serve();
    receive();
    EXPECT_EQ(dial("169.254.1.1:7000"), PathId{});
    FarEnd lost{.endpoint = endpoint("169.254.1.1:7000"), .mac = {0x02, 0, 0, 0, 0, 9}};
    lost.send(endpoint(kOwn), "hello");
    EXPECT_EQ(receive(), 1U);
    EXPECT_TRUE(inbox.texts.empty());
}

TEST_F(LwipUdp, lets_short_packets_to_many_addresses_of_its_own_choice_wait_at_once) {
    open();
    for (unsigned host = 100; host < 110; ++host) {
        ASSERT_TRUE(send(dial("10.9.0." + std::to_string(host) + ":7000"), std::string(100, 'x'))) << host;
    }
    EXPECT_EQ(udp.figures().datagrams_refused, 0U);
}

// Hellos from addresses that do not exist, each of which the node answers. The peers of a board must not notice: neither one that it has dialled
// nor one that has dialled it.
TEST_F(LwipUdp, answers_to_a_flood_of_strangers_that_do_not_exist_cost_its_peers_nothing) {
    open({.netmask = "255.255.0.0"});
    const PathId dialled = dial("10.9.0.1:7000");
    FarEnd caller{.endpoint = endpoint("10.9.0.2:7000"), .mac = {0x02, 0, 0x0a, 0x09, 0, 2}};
    caller.send(endpoint(kOwn), "I am here");
    receive();
    const PathId called = inbox.paths.back();
    const auto exchange = [&](const std::string& text) {
        ASSERT_TRUE(send(dialled, text));
        ASSERT_TRUE(send(called, text));
        const auto on_the_wire = fake_port().sent;
        far.serve();
        fake_port().sent = on_the_wire;
        caller.serve();
        receive();
        far.serve();
    };
    exchange("first");
    pass(dunlin::seconds{1});
    exchange("second");
    const std::size_t questions = far.questions + caller.questions;
    far.datagrams.clear();
    caller.datagrams.clear();
    std::vector<std::string> expected;
    for (unsigned i = 0; i < 1000; ++i) {
        FarEnd nobody{.endpoint = {.address = {0x0a09'0100U + i}, .port = 7000}, .mac = far.mac, .answers = false};
        nobody.send(endpoint(kOwn), std::string(144, 'h'));
        receive();
        ASSERT_TRUE(send(inbox.paths.back(), "who are you"));
        pass(dunlin::milliseconds{20});
        if (i % 50 != 0) continue;
        expected.push_back(std::to_string(i));
        exchange(expected.back());
    }
    EXPECT_EQ(far.texts(), expected);
    EXPECT_EQ(caller.texts(), expected);
    EXPECT_EQ(far.questions + caller.questions, questions) << "a peer's Ethernet address was forgotten";
    EXPECT_EQ(udp.figures().times_blocked, 0U);
}

// One whose Ethernet address has been forgotten, or that never asked for the board's: among those of a flood one is let wait in each second.
TEST_F(LwipUdp, answers_one_stranger_a_second_whose_address_it_must_ask_for) {
    open();
    FarEnd nobody{.endpoint = endpoint("10.9.0.100:7000"), .mac = far.mac, .answers = false};
    for (int attempt = 0; attempt < 2; ++attempt) {
        nobody.send(endpoint(kOwn), "hello");
        far.send(endpoint(kOwn), "hello");
        receive();
        const std::size_t last = inbox.paths.size() - 1;
        ASSERT_TRUE(send(inbox.paths[attempt == 0 ? last - 1 : last], "who are you"));
        ASSERT_TRUE(send(inbox.paths[attempt == 0 ? last : last - 1], "who are you"));
        settle();
        EXPECT_EQ(far.datagrams.size(), attempt == 0 ? 0U : 1U);
        EXPECT_EQ(udp.figures().datagrams_refused, attempt == 0 ? 1U : 2U);
        pass(dunlin::seconds{1});
    }
}

TEST_F(LwipUdp, needs_no_time_of_its_own_but_while_a_question_is_open) {
    open();
    for (int second = 0; second < 10; ++second) pass(dunlin::seconds{1});
    EXPECT_EQ(udp.next_deadline(), dunlin::kNever);
    far.answers = false;
    ASSERT_TRUE(send(dial("10.9.0.1:7000"), "hello"));
    EXPECT_LE(udp.next_deadline(), fake_port().now + dunlin::seconds{1});
    int seconds = 0;
    for (; udp.next_deadline() != dunlin::kNever && seconds < 60; ++seconds) pass(dunlin::seconds{1});
    EXPECT_LT(seconds, 15);
    far.serve();
    EXPECT_GE(far.questions, 3U);  // asked again and again, and given up
    const std::size_t questions = far.questions;
    far.answers = true;
    for (int second = 0; second < 10; ++second) pass(dunlin::seconds{1});
    far.serve();
    EXPECT_EQ(far.questions, questions);
    EXPECT_TRUE(far.datagrams.empty());
}

TEST_F(LwipUdp, asks_again_for_an_address_that_it_learnt_long_ago_however_long_it_slept) {
    open();
    const PathId path = dial("10.9.0.1:7000");
    ASSERT_TRUE(send(path, "one"));
    settle();
    ASSERT_EQ(far.questions, 1U);
    pass(std::chrono::hours{24});
    far.mac[5] = 0x77;  // exchanged for another
    ASSERT_TRUE(send(path, "two"));
    settle();
    EXPECT_EQ(far.questions, 2U);
    EXPECT_EQ(far.texts(), (std::vector<std::string>{"one", "two"}));
}

TEST_F(LwipUdp, sends_to_other_networks_through_its_gateway) {
    open({.gateway = "10.9.0.1"});
    FarEnd gateway{.endpoint = endpoint("10.9.0.1:1"), .mac = far.mac};
    ASSERT_TRUE(send(dial("192.0.2.7:7000"), "away"));
    gateway.serve();
    receive();
    ASSERT_EQ(fake_port().sent.size(), 1U);
    const std::optional<Datagram> datagram = lwip_test::read_datagram(fake_port().sent.front());
    ASSERT_TRUE(datagram);
    EXPECT_EQ(datagram->to, endpoint("192.0.2.7:7000"));
    EXPECT_EQ(datagram->mac_to, far.mac);
}

TEST_F(LwipUdp, says_at_once_what_cannot_be_reached) {
    open();
    for (const char* text : {"192.0.2.7:7000", "10.9.0.255:7000", "10.9.0.0:7000", "127.0.0.1:7000", "224.0.0.1:7000", "0.0.0.0:7000"}) {
        EXPECT_EQ(dial(text), PathId{}) << text;
    }
}

// Its answer would have no way, and its path might push another one out.
TEST_F(LwipUdp, hears_nobody_outside_its_network_without_a_gateway) {
    FarEnd outside{.endpoint = endpoint("192.0.2.7:7000"), .mac = far.mac};
    open();
    outside.send(endpoint(kOwn), "unheard");
    EXPECT_EQ(receive(), 1U);
    EXPECT_TRUE(inbox.texts.empty());
    EXPECT_EQ(udp.figures().datagrams_no_path, 1U);
    udp.close();
    std::string_view reason;
    ASSERT_EQ(udp.open({.address = kOwn, .gateway = "10.9.0.1"}, reason), Status::ok) << reason;
    outside.send(endpoint(kOwn), "heard");
    EXPECT_EQ(receive(), 1U);
    EXPECT_EQ(inbox.texts, std::vector<std::string>{"heard"});
}

TEST_F(LwipUdp, does_not_send_to_a_path_that_is_gone) {
    open();
    const PathId first = dial("10.9.0.1:1");
    for (unsigned port = 2; port <= PathTable::kPathsMax; ++port) ASSERT_NE(dial("10.9.0.1:" + std::to_string(port)), PathId{});
    far.send(endpoint(kOwn), "no path left");
    receive();
    EXPECT_TRUE(inbox.texts.empty());
    EXPECT_EQ(udp.figures().datagrams_no_path, 1U);
    EXPECT_EQ(udp.dial(endpoint("10.9.0.1:100")).evicted, first);
    ASSERT_FALSE(udp.next_buffer().empty());
    EXPECT_FALSE(udp.push({first, 4}));
    EXPECT_TRUE(udp.all_sent());
}

TEST_F(LwipUdp, tells_which_path_made_room_for_a_stranger) {
    open();
    FarEnd stranger = far;
    for (unsigned i = 0; i <= PathTable::kPathsMax; ++i) {
        stranger.endpoint.port = static_cast<std::uint16_t>(1000 + i);
        stranger.send(endpoint(kOwn), "x");
        receive();
    }
    EXPECT_EQ(inbox.evicted.front(), PathId{});
    EXPECT_EQ(inbox.evicted.back(), inbox.paths.front());
}

// An IPv4 packet from there with what an ICMP echo request holds, as one of `protocol`; `fragment`: the flags and the offset (RFC 791 §3.1).
Frame ip_frame(const FarEnd& from, std::uint8_t protocol, std::uint16_t fragment = 0) {
    Frame frame =
        write(Datagram{.mac_from = from.mac, .mac_to = fake_port().mac, .from = from.endpoint, .to = endpoint(kOwn), .payload = "echo"});
    const std::string_view head("\x08\x00\x00\x00\x00\x00\x00\x00", 8);
    std::memcpy(frame.data() + lwip_test::kUdpAt, head.data(), head.size());
    const auto set_u16 = [&frame](std::size_t at, std::uint16_t value) {
        frame[at] = static_cast<std::byte>(value >> 8);
        frame[at + 1] = static_cast<std::byte>(value);
    };
    const auto set_sum = [&](std::size_t at, std::size_t from_byte, std::size_t bytes) {
        set_u16(at, 0);
        set_u16(at, lwip_test::checksum({reinterpret_cast<const char*>(frame.data()) + from_byte, bytes}));
    };
    set_sum(lwip_test::kUdpAt + 2, lwip_test::kUdpAt, 12);
    set_u16(lwip_test::kIpAt + 6, fragment);
    frame[lwip_test::kIpAt + 9] = std::byte{protocol};
    set_sum(lwip_test::kIpAt + 10, lwip_test::kIpAt, 20);
    return frame;
}

// An answer, such as a ping's, would have to wait for their Ethernet addresses, and a fragment for the others; in the memory that frames
// are received in.
TEST_F(LwipUdp, is_not_deaf_for_what_hosts_send_that_cannot_be_answered) {
    constexpr std::uint16_t kMoreFollow = 0x2000;
    open();
    FarEnd nobody = far;
    nobody.answers = false;
    for (unsigned protocol = 0; protocol <= 255; ++protocol) {
        for (const std::uint16_t fragment : {std::uint16_t{0}, kMoreFollow, std::uint16_t{1}}) {
            nobody.endpoint.address.value = endpoint("10.9.0.100:1").address.value + protocol % 100;
            fake_port().received.push_back(ip_frame(nobody, static_cast<std::uint8_t>(protocol), fragment));
            receive();
            far.send(endpoint(kOwn), "heard");
            receive();
            ASSERT_EQ(inbox.texts.size(), 1U) << "protocol " << protocol << " fragment " << fragment;
            inbox.texts.clear();
        }
    }
    EXPECT_EQ(udp.ethernet_figures().frames_no_memory, 0U);
    EXPECT_EQ(udp.ethernet_figures().frames_sent, 1U) << "more than that its address is here: an answer";
}

TEST_F(LwipUdp, loses_packets_by_injected_loss) {
    open({.loss_ppm = 200'000, .loss_seed = 3});
    const PathId path = dial("10.9.0.1:7000");
    ASSERT_TRUE(send(path, "first"));
    settle();
    for (int i = 0; i < 999; ++i) ASSERT_TRUE(send(path, "x"));
    far.serve();
    EXPECT_EQ(udp.figures().datagrams_sent + udp.figures().datagrams_dropped, 1000U);
    EXPECT_NEAR(static_cast<double>(udp.figures().datagrams_dropped), 200.0, 60.0);
    EXPECT_EQ(far.datagrams.size(), udp.figures().datagrams_sent);
}

TEST_F(LwipUdp, says_in_one_sentence_why_it_cannot_be_used) {
    EXPECT_EQ(refusal({}), "address: write a.b.c.d:port, with a port of 1 to 65535");
    EXPECT_EQ(refusal({.address = "10.9.0.13"}), "address: write a.b.c.d:port, with a port of 1 to 65535");
    EXPECT_EQ(refusal({.address = "10.9.0.255:7000"}), "address: no single board can have this one");
    EXPECT_EQ(refusal({.address = "239.9.0.13:7000"}), "address: no single board can have this one");
    EXPECT_EQ(refusal({.address = kOwn, .netmask = "255.0.255.0"}), "netmask: write a.b.c.d, of 1 to 30 ones and then zeros");
    EXPECT_EQ(refusal({.address = kOwn, .gateway = "gate"}), "gateway: write a.b.c.d, or nothing where there is none");
    EXPECT_EQ(refusal({.address = kOwn, .gateway = "10.9.1.1"}), "gateway: it must be another address in the own network");
    EXPECT_EQ(refusal({.address = kOwn, .gateway = "10.9.0.13"}), "gateway: it must be another address in the own network");
    EXPECT_EQ(refusal({.address = kOwn, .mac = {1, 2, 3, 4, 5, 6}}), "mac: that of a board has an even first byte; others are of groups");
    EXPECT_EQ(refusal({.address = kOwn, .packet_bytes_max = 1473}), "packet_bytes_max: 1 to 1472");
    EXPECT_EQ(refusal({.address = kOwn, .loss_ppm = 1'000'001}), "loss_ppm: 0 to 1,000,000");
    fake_port().has_ethernet = false;
    Udp none;
    std::string_view reason;
    EXPECT_EQ(none.open({.address = kOwn}, reason), Status::device_error);
    EXPECT_EQ(reason, "the board has no Ethernet controller");
}

TEST_F(LwipUdp, gives_its_address_to_the_controller_or_the_one_that_it_was_told) {
    open({.mac = {0x02, 1, 2, 3, 4, 5}});
    EXPECT_EQ(fake_port().mac, (port::MacAddress{0x02, 1, 2, 3, 4, 5}));
}

// What begins as anything else is in a board's flash, as a whole.
constinit const Udp unused;

TEST(LwipUdpObject, is_all_zeros_and_so_takes_no_flash) {
    const auto bytes = std::as_bytes(std::span(&unused, 1));
    EXPECT_TRUE(std::ranges::all_of(bytes, [](std::byte each) { return each == std::byte{}; }));
}

}  // namespace
}  // namespace dunlin_lwip
