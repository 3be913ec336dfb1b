#include "asio/run_until.hpp"

#include <dunlin_asio/gso.hpp>
#include <dunlin_asio/host_error.hpp>
#include <dunlin_asio/udp.hpp>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace dunlin_asio {
namespace {

using asio_test::run_until;
using dunlin::PathId;

struct Inbox {
    void operator()(const Udp::Received& received) {
        texts.emplace_back(reinterpret_cast<const char*>(received.bytes.data()), received.bytes.size());
        paths.push_back(received.path);
    }
    std::vector<std::string> texts;
    std::vector<PathId> paths;
};

std::size_t receive(Udp& udp, Inbox& inbox) { return udp.receive(dunlin::Callback<void(const Udp::Received&)>::of(inbox)); }

void send(Udp& udp, PathId path, std::string_view text) {
    const std::span<std::byte> buffer = udp.next_buffer();
    ASSERT_GE(buffer.size(), text.size());
    std::memcpy(buffer.data(), text.data(), text.size());
    ASSERT_TRUE(udp.push({path, text.size()}));
    udp.flush();
}

// Queues numbered packets of 100 bytes and sends them at once.
void send_burst(Udp& udp, PathId path, int first, int count) {
    for (int i = first; i < first + count; ++i) {
        std::string text = std::to_string(i);
        text.resize(100, ' ');
        const std::span<std::byte> buffer = udp.next_buffer();
        ASSERT_GE(buffer.size(), text.size());
        std::memcpy(buffer.data(), text.data(), text.size());
        ASSERT_TRUE(udp.push({path, text.size()}));
    }
    udp.flush();
}

std::vector<int> numbers_of(const Inbox& inbox) {
    std::vector<int> numbers;
    for (const std::string& text : inbox.texts) {
        EXPECT_EQ(text.size(), 100U);
        numbers.push_back(std::stoi(text));
    }
    return numbers;
}

std::vector<int> first_numbers(int count) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) numbers[static_cast<std::size_t>(i)] = i;
    return numbers;
}

void exchange(const char* bind_a, const char* bind_b, const std::string& host_of_b) {
    asio::io_context io;
    Udp a(io, {.bind = bind_a});
    Udp b(io, {.bind = bind_b});
    const std::string address = host_of_b + ":" + std::to_string(b.local_endpoint().port());
    const PathId to_b = a.dial(*numeric_address(address)).path;
    ASSERT_NE(to_b, PathId{});
    send(a, to_b, "ping");
    Inbox at_b;
    ASSERT_TRUE(run_until(io, [&] { return receive(b, at_b) > 0; }));
    ASSERT_EQ(at_b.texts, std::vector<std::string>{"ping"});
    send(b, at_b.paths[0], "pong");
    Inbox at_a;
    ASSERT_TRUE(run_until(io, [&] { return receive(a, at_a) > 0; }));
    EXPECT_EQ(at_a.texts, std::vector<std::string>{"pong"});
    EXPECT_EQ(at_a.paths[0], to_b);
    EXPECT_EQ(a.figures().datagrams_received, 1U);
    EXPECT_EQ(a.send_figures().datagrams_sent, 1U);
}

TEST(Udp, answers_come_back_on_the_path_that_was_dialled) { exchange("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"); }

// Whether this machine has v6 at all and, with it, that address. Asked of the kernel alone: what Udp makes of it is under test.
bool has_v6_address(const in6_addr& address) {
    const int socket = ::socket(AF_INET6, SOCK_DGRAM, 0);
    if (socket < 0) {
        EXPECT_EQ(errno, EAFNOSUPPORT) << std::strerror(errno);
        return false;
    }
    sockaddr_in6 any_port{};
    any_port.sin6_family = AF_INET6;
    any_port.sin6_addr = address;
    const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&any_port), sizeof any_port) == 0;
    EXPECT_TRUE(bound || errno == EADDRNOTAVAIL) << std::strerror(errno);
    ::close(socket);
    return bound;
}

TEST(Udp, speaks_v6) {
    if (!has_v6_address(in6addr_loopback)) GTEST_SKIP() << "no v6 loopback on this machine";
    exchange("[::1]:0", "[::1]:0", "[::1]");
}

TEST(Udp, a_v6_socket_reaches_v4_hosts) {
    if (!has_v6_address(in6addr_any)) GTEST_SKIP() << "no v6 on this machine";
    exchange("[::]:0", "127.0.0.1:0", "127.0.0.1");
}

TEST(Udp, a_v4_socket_says_that_it_cannot_reach_a_v6_host) {
    asio::io_context io;
    Udp udp(io, {.bind = "127.0.0.1:0"});
    EXPECT_EQ(udp.dial(*numeric_address("[::1]:9")).path, PathId{});
}

int option_of(int socket, int level, int name) {
    int value = -1;
    socklen_t bytes = sizeof value;
    EXPECT_EQ(::getsockopt(socket, level, name, &value, &bytes), 0);
    return value;
}

// A path that carries less than it seems to must lose a probe of its size, not bring it in parts (RFC 8899 §3).
TEST(Udp, lets_no_router_divide_a_datagram_and_no_route_cut_it_short) {
    asio::io_context io;
    Udp v4(io, {.bind = "127.0.0.1:0"});
    EXPECT_EQ(option_of(v4.native_handle(), IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
    if (!has_v6_address(in6addr_any)) GTEST_SKIP() << "no v6 on this machine";
    Udp v6(io, {.bind = "[::]:0"});
    EXPECT_EQ(option_of(v6.native_handle(), IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_PROBE);
    EXPECT_EQ(option_of(v6.native_handle(), IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
}

TEST(Udp, reads_a_bounded_batch_and_knows_that_there_is_more) {
    asio::io_context io;
    Udp a(io, {.bind = "127.0.0.1:0"});
    Udp b(io, {.bind = "127.0.0.1:0"});
    const PathId to_b = a.dial(b.local_endpoint()).path;
    constexpr std::size_t kSent = Udp::kDatagramsPerRead + 10;
    for (std::size_t i = 0; i < kSent; ++i) send(a, to_b, std::to_string(i));
    Inbox inbox;
    ASSERT_TRUE(run_until(io, [&] { return b.has_input(); }));
    EXPECT_EQ(receive(b, inbox), 1U);  // the first may be alone
    EXPECT_EQ(receive(b, inbox), Udp::kDatagramsPerRead);
    EXPECT_TRUE(b.has_input());
    ASSERT_TRUE(run_until(io, [&] {
        receive(b, inbox);
        return inbox.texts.size() == kSent;
    }));
    EXPECT_EQ(receive(b, inbox), 0U);
    EXPECT_FALSE(b.has_input());
    for (std::size_t i = 0; i < kSent; ++i) EXPECT_EQ(inbox.texts[i], std::to_string(i));
}

TEST(Udp, drops_and_counts_a_datagram_longer_than_any_packet) {
    asio::io_context io;
    Udp a(io, {.bind = "127.0.0.1:0", .packet_bytes_max = 4000});
    Udp b(io, {.bind = "127.0.0.1:0"});
    const PathId to_b = a.dial(b.local_endpoint()).path;
    send(a, to_b, std::string(3000, 'x'));
    send(a, to_b, "fits");
    Inbox inbox;
    ASSERT_TRUE(run_until(io, [&] {
        receive(b, inbox);
        return !inbox.texts.empty();
    }));
    EXPECT_EQ(inbox.texts, std::vector<std::string>{"fits"});
    EXPECT_EQ(b.figures().datagrams_too_long, 1U);
}

TEST(Udp, does_not_send_to_a_path_that_is_gone) {
    asio::io_context io;
    Udp udp(io, {.bind = "127.0.0.1:0", .paths_max = 1});
    const PathId path = udp.dial(*numeric_address("127.0.0.1:9")).path;
    EXPECT_EQ(udp.dial(*numeric_address("127.0.0.1:10")).evicted, path);
    EXPECT_FALSE(udp.push({path, 4}));
    EXPECT_TRUE(udp.all_sent());
}

// Every pairing of sockets with and without trains.
class UdpTrains : public testing::TestWithParam<std::tuple<bool, bool>> {};
INSTANTIATE_TEST_SUITE_P(SenderAndReceiver, UdpTrains, testing::Combine(testing::Bool(), testing::Bool()));

TEST_P(UdpTrains, bring_every_datagram_whole_and_in_order) {
    const auto [sender_has, receiver_has] = GetParam();
    asio::io_context io;
    Udp a(io, {.bind = "127.0.0.1:0", .trains = sender_has});
    Udp b(io, {.bind = "127.0.0.1:0", .trains = receiver_has});
    const PathId to_b = a.dial(b.local_endpoint()).path;
    Inbox inbox;
    for (int burst = 0; burst < 4; ++burst) send_burst(a, to_b, burst * 50, 50);
    ASSERT_TRUE(run_until(io, [&] {
        while (receive(b, inbox) > 0) {}
        return inbox.texts.size() >= 200;
    }));
    EXPECT_EQ(numbers_of(inbox), first_numbers(200));
    EXPECT_EQ(a.send_figures().datagrams_sent, 200U);
    EXPECT_EQ(b.figures().datagrams_received, 200U);
    EXPECT_EQ(b.figures().bytes_received, 20'000U);
    const bool sends = sender_has && has_gso(a.native_handle());
    EXPECT_EQ(a.send_figures().trains_sent > 0, sends);
    EXPECT_EQ(b.figures().trains_received > 0, sends && receiver_has && enable_gro(b.native_handle()));
}

TEST(Udp, sends_a_size_probe_in_no_train) {
    asio::io_context io;
    Udp a(io, {.bind = "127.0.0.1:0"});
    Udp b(io, {.bind = "127.0.0.1:0"});
    const PathId to_b = a.dial(b.local_endpoint()).path;
    ASSERT_FALSE(a.next_buffer().empty());
    ASSERT_TRUE(a.push({.path = to_b, .bytes = 200, .size_probe = true}));
    send_burst(a, to_b, 0, 50);
    EXPECT_EQ(a.send_figures().datagrams_sent, 51U);
    EXPECT_EQ(a.send_figures().trains_sent, has_gso(a.native_handle()) ? 1U : 0U);
}

TEST(Udp, sends_packet_by_packet_on_a_path_that_refuses_trains_and_loses_nothing) {
    asio::io_context io;
    Udp a(io, {.bind = "127.0.0.1:0"});
    Udp b(io, {.bind = "127.0.0.1:0"});
    if (!has_gso(a.native_handle())) GTEST_SKIP() << "no UDP GSO here";
    const int on = 1;  // without checksums the kernel takes no train (udp_send_skb)
    ASSERT_EQ(::setsockopt(a.native_handle(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
    const PathId to_b = a.dial(b.local_endpoint()).path;
    Inbox inbox;
    for (int burst = 0; burst < 3; ++burst) send_burst(a, to_b, burst * 50, 50);
    ASSERT_TRUE(run_until(io, [&] {
        while (receive(b, inbox) > 0) {}
        return inbox.texts.size() >= 150;
    }));
    EXPECT_EQ(numbers_of(inbox), first_numbers(150));
    EXPECT_EQ(a.send_figures().trains_refused, 1U);
    EXPECT_EQ(a.send_figures().trains_sent, 0U);
    EXPECT_EQ(a.send_figures().datagrams_refused, 0U);
}

TEST(Udp, loses_single_packets_of_a_train_by_injected_loss) {
    asio::io_context io;
    Udp a(io, {.bind = "127.0.0.1:0", .loss_ppm = 200'000, .loss_seed = 3});
    Udp b(io, {.bind = "127.0.0.1:0"});
    const PathId to_b = a.dial(b.local_endpoint()).path;
    Inbox inbox;
    for (int burst = 0; burst < 20; ++burst) send_burst(a, to_b, burst * 50, 50);
    const std::uint64_t sent = a.send_figures().datagrams_sent;
    EXPECT_EQ(sent + a.send_figures().datagrams_dropped, 1000U);
    EXPECT_NEAR(static_cast<double>(sent), 800.0, 60.0);
    ASSERT_TRUE(run_until(io, [&] {
        while (receive(b, inbox) > 0) {}
        return inbox.texts.size() >= sent;
    }));
    const std::vector<int> numbers = numbers_of(inbox);
    EXPECT_EQ(numbers.size(), sent);
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    EXPECT_EQ(a.send_figures().trains_sent > 0, has_gso(a.native_handle()));
}

TEST(Udp, can_be_looked_into_without_the_loop) {
    asio::io_context io;
    Udp a(io, {.bind = "127.0.0.1:0"});
    Udp b(io, {.bind = "127.0.0.1:0"});
    EXPECT_FALSE(b.look());
    const PathId to_b = a.dial(b.local_endpoint()).path;
    send(a, to_b, "ping");  // over loopback it is there when the call returns
    ASSERT_TRUE(b.look());
    Inbox inbox;
    const auto sink = dunlin::Callback<void(const Udp::Received&)>::of(inbox);
    EXPECT_EQ(b.receive_now(sink), 1U);
    EXPECT_FALSE(b.look());
    // And what comes when nobody looks any more is waited for.
    b.wait_for_input();
    send(a, to_b, "pong");
    ASSERT_TRUE(run_until(io, [&] { return b.has_input(); }));
    EXPECT_EQ(receive(b, inbox), 1U);
    EXPECT_EQ(inbox.texts, (std::vector<std::string>{"ping", "pong"}));
}

TEST(Udp, may_be_destroyed_while_waiting_for_a_datagram) {
    asio::io_context io;
    { const Udp udp(io, {.bind = "127.0.0.1:0"}); }
    io.run();
}

std::string refusal(const std::string& bind) {
    asio::io_context io;
    try {
        const Udp udp(io, {.bind = bind});
    } catch (const HostError& error) { return error.message; }
    return "accepted";
}

TEST(Udp, says_in_one_sentence_why_it_cannot_listen) {
    asio::io_context io;
    const Udp first(io, {.bind = "127.0.0.1:0"});
    const std::string taken = to_string(first.local_endpoint());
    EXPECT_EQ(refusal(taken), "cannot listen on UDP " + taken + ": another program uses this port.");
    EXPECT_EQ(refusal("7000"), "'7000' is not an address: write host:port or [v6-address]:port.");
    EXPECT_EQ(refusal("192.0.2.1:7000"), "cannot listen on UDP 192.0.2.1:7000: Cannot assign requested address.");
}

}  // namespace
}  // namespace dunlin_asio
