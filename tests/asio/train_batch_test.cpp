#include <dunlin_asio/send_queue.hpp>
#include <dunlin_asio/train_batch.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace dunlin_asio {
namespace {

using dunlin::PathId;

// Packets of these lengths, all of one path.
struct Waiting {
    explicit Waiting(const std::vector<std::size_t>& lengths) : packets(lengths.size()), parts(lengths.size()) {
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            packets[i].path = PathId{1};
            packets[i].alone = false;
            parts[i].iov_len = lengths[i];
        }
    }
    [[nodiscard]] std::size_t first_train() const { return train_length(packets, parts); }
    std::vector<OutgoingPacket> packets;
    std::vector<iovec> parts;
};

TEST(TrainLength, takes_equal_packets_and_one_shorter_at_the_end) {
    EXPECT_EQ(Waiting({100, 100, 100}).first_train(), 3U);
    EXPECT_EQ(Waiting({100, 100, 60, 60}).first_train(), 3U);
    EXPECT_EQ(Waiting({100, 101}).first_train(), 1U);
    EXPECT_EQ(Waiting({100, 100, 101}).first_train(), 2U);
    EXPECT_EQ(Waiting({100, 0, 100}).first_train(), 1U);
    EXPECT_EQ(Waiting({0, 0}).first_train(), 1U);
}

TEST(TrainLength, ends_where_the_path_does_or_a_packet_must_go_alone) {
    Waiting waiting({100, 100, 100, 100});
    waiting.packets[2].path = PathId{2};
    EXPECT_EQ(waiting.first_train(), 2U);
    waiting.packets[1].alone = true;
    EXPECT_EQ(waiting.first_train(), 1U);
    waiting.packets[1].alone = false;
    waiting.packets[0].alone = true;
    EXPECT_EQ(waiting.first_train(), 1U);
}

TEST(TrainLength, is_at_most_64_datagrams_and_65507_bytes) {
    EXPECT_EQ(Waiting(std::vector<std::size_t>(80, 100)).first_train(), 64U);
    EXPECT_EQ(Waiting(std::vector<std::size_t>(64, 1472)).first_train(), 44U);
}

// A kernel that answers a train with `refusal`, and notes how many packets each message had that it took.
struct Kernel {
    int operator()(std::span<mmsghdr> batch) {
        int taken = 0;
        for (const mmsghdr& message : batch) {
            const msghdr& header = message.msg_hdr;
            if (header.msg_iovlen > 1 && refusal != 0) return taken > 0 ? taken : -refusal;
            EXPECT_EQ(header.msg_controllen > 0, header.msg_iovlen > 1);
            messages.push_back(header.msg_iovlen);
            for (std::size_t i = 0; i < header.msg_iovlen; ++i) {
                int number = 0;
                std::memcpy(&number, header.msg_iov[i].iov_base, sizeof number);
                numbers.push_back(number);
            }
            ++taken;
        }
        return taken;
    }
    void operator()(PathId path) { told.push_back(path); }
    int refusal = 0;
    std::vector<std::size_t> messages;
    std::vector<int> numbers;
    std::vector<PathId> told;
};

struct Fixture {
    Fixture() : queue({.packets_max = 8, .packet_bytes_max = 64}, SendQueue::SendBatch::of(kernel), SendQueue::TrainsRefused::of(kernel)) {}
    void push(int number, PathId path = PathId{1}, std::size_t bytes = sizeof(int)) {
        std::memcpy(queue.next_buffer().data(), &number, sizeof number);
        queue.push(path, *numeric_address("127.0.0.1:9"), bytes, false);
    }
    Kernel kernel;
    SendQueue queue;
};

TEST(SendQueueTrains, are_one_message_each_and_stay_in_order_round_the_ring) {
    Fixture f;
    int next = 0;
    for (const int count : {5, 7, 3, 8}) {
        for (int i = 0; i < count; ++i) f.push(next++);
        EXPECT_EQ(f.queue.flush(), SendQueue::Flushed::all);
    }
    EXPECT_EQ(f.kernel.numbers.size(), 23U);
    EXPECT_TRUE(std::is_sorted(f.kernel.numbers.begin(), f.kernel.numbers.end()));
    EXPECT_EQ(f.kernel.messages, (std::vector<std::size_t>{5, 3, 4, 3, 1, 7}));
    EXPECT_EQ(f.queue.figures().datagrams_sent, 23U);
    EXPECT_EQ(f.queue.figures().trains_sent, 5U);
}

TEST(SendQueueTrains, go_packet_by_packet_after_a_refusal_and_their_path_is_told) {
    for (const int refusal : {EINVAL, EIO, EMSGSIZE}) {
        Fixture f;
        f.kernel.refusal = refusal;
        for (int i = 0; i < 3; ++i) f.push(i);
        f.push(3, PathId{2});  // no train, and not refused
        EXPECT_EQ(f.queue.flush(), SendQueue::Flushed::all);
        EXPECT_EQ(f.kernel.numbers, (std::vector<int>{0, 1, 2, 3}));
        EXPECT_EQ(f.kernel.told, std::vector<PathId>{PathId{1}});
        EXPECT_EQ(f.queue.figures().trains_refused, 1U);
        EXPECT_EQ(f.queue.figures().datagrams_sent, 4U);
        EXPECT_EQ(f.queue.figures().datagrams_refused, 0U);
    }
}

TEST(SendQueueTrains, are_lost_and_counted_whole_where_the_kernel_refuses_the_path) {
    Fixture f;
    f.kernel.refusal = ENETUNREACH;
    for (int i = 0; i < 3; ++i) f.push(i);
    EXPECT_EQ(f.queue.flush(), SendQueue::Flushed::all);
    EXPECT_EQ(f.queue.figures().datagrams_refused, 3U);
    EXPECT_EQ(f.queue.figures().trains_refused, 0U);
    EXPECT_TRUE(f.kernel.told.empty());
}

}  // namespace
}  // namespace dunlin_asio
