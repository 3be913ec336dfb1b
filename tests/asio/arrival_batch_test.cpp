#include <dunlin_asio/arrival_batch.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>
#include <string>
#include <vector>

namespace dunlin_asio {
namespace {

// A plain socket on loopback. What is sent over loopback is there for the receiver when send returns.
struct Socket {
    Socket() : descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        socklen_t length = static_cast<socklen_t>(endpoint.capacity());
        EXPECT_EQ(::getsockname(descriptor, endpoint.data(), &length), 0);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() { ::close(descriptor); }
    // As a train of datagrams of `datagram_bytes`, or as one datagram (0).
    void send(Socket& to, std::string text, std::size_t datagram_bytes = 0) const {
        iovec part{.iov_base = text.data(), .iov_len = text.size()};
        msghdr header{};
        header.msg_name = to.endpoint.data();
        header.msg_namelen = static_cast<socklen_t>(to.endpoint.size());
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        TrainControl control{};
        mark_train(header, control, datagram_bytes);
        ASSERT_EQ(::sendmsg(descriptor, &header, 0), static_cast<ssize_t>(text.size()));
    }
    int descriptor;
    Endpoint endpoint{};
};

std::vector<std::string> read_all(ArrivalBatch& batch, const Socket& socket, const Socket& from) {
    std::vector<std::string> texts;
    while (batch.read(socket.descriptor)) {
        while (const auto datagram = batch.next()) {
            EXPECT_EQ(*datagram->from, from.endpoint);
            texts.push_back(datagram->too_long
                                ? "too long"
                                : std::string(reinterpret_cast<const char*>(datagram->bytes.data()), datagram->bytes.size()));
        }
    }
    return texts;
}

using Texts = std::vector<std::string>;

TEST(ArrivalBatch, cuts_trains_into_their_datagrams) {
    Socket a;
    Socket b;
    if (!has_gso(a.descriptor) || !enable_gro(b.descriptor)) GTEST_SKIP() << "no UDP GSO or GRO here";
    ArrivalBatch batch(true);
    a.send(b, "one");
    a.send(b, "aaaabbbbcccc", 4);
    a.send(b, "");
    a.send(b, "dddddeeeeef", 5);
    a.send(b, "two");
    EXPECT_EQ(read_all(batch, b, a), (Texts{"one", "aaaa", "bbbb", "cccc", "", "ddddd", "eeeee", "f", "two"}));
    EXPECT_EQ(batch.trains(), 2U);
}

TEST(ArrivalBatch, reads_on_after_a_full_read) {
    for (const bool trains : {false, true}) {
        Socket a;
        Socket b;
        ArrivalBatch batch(trains && enable_gro(b.descriptor));
        Texts sent;
        for (std::size_t i = 0; i < 2 * ArrivalBatch::kPlainReadMax + 3; ++i) {
            sent.push_back(std::to_string(i));
            a.send(b, sent.back());
        }
        EXPECT_EQ(read_all(batch, b, a), sent);
        EXPECT_TRUE(batch.empty());
        EXPECT_EQ(batch.trains(), 0U);
    }
}

TEST(ArrivalBatch, takes_one_message_after_it_found_none_and_then_all_there_are) {
    Socket a;
    Socket b;
    ArrivalBatch batch(false);
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 4; ++i) a.send(b, "text");
        std::vector<int> each;
        while (batch.read(b.descriptor)) {
            each.push_back(0);
            while (batch.next()) ++each.back();
        }
        EXPECT_EQ(each, (std::vector<int>{1, 3}));
    }
}

TEST(ArrivalBatch, says_of_each_datagram_whether_it_is_too_long) {
    const std::string longest(ArrivalBatch::kDatagramBytesMax, 'x');
    for (const bool trains : {false, true}) {
        Socket a;
        Socket b;
        ArrivalBatch batch(trains && enable_gro(b.descriptor));
        a.send(b, longest);
        a.send(b, longest + "x");
        a.send(b, "fits");
        EXPECT_EQ(read_all(batch, b, a), (Texts{longest, "too long", "fits"}));
    }
}

}  // namespace
}  // namespace dunlin_asio
