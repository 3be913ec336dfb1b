#include <dunlin_asio/send_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace dunlin_asio {
namespace {

// A kernel that takes `room` packets and then says `error`.
struct Kernel {
    int operator()(std::span<mmsghdr> batch) {
        ++calls;
        if (room == 0) return -error;
        const std::size_t taken = std::min(room, batch.size());
        for (std::size_t i = 0; i < taken; ++i) {
            const iovec& part = *batch[i].msg_hdr.msg_iov;
            int number = 0;
            EXPECT_EQ(part.iov_len, sizeof number);
            std::memcpy(&number, part.iov_base, sizeof number);
            numbers.push_back(number);
        }
        room -= taken;
        return static_cast<int>(taken);
    }
    std::size_t room = SIZE_MAX;
    int error = EAGAIN;
    int calls = 0;
    std::vector<int> numbers;
};

struct Fixture {
    explicit Fixture(SendQueue::Options options = {.packets_max = 4, .packet_bytes_max = 64})
        : queue(options, SendQueue::SendBatch::of(kernel)) {}
    bool send(int number) {
        const std::span<std::byte> buffer = queue.next_buffer();
        if (buffer.empty()) return false;
        std::memcpy(buffer.data(), &number, sizeof number);
        queue.push(dunlin::PathId{1}, *numeric_address("127.0.0.1:9"), sizeof number, true);
        return true;
    }
    Kernel kernel;
    SendQueue queue;
};

TEST(SendQueue, hands_packets_over_in_batches_and_in_order) {
    Fixture f;
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(f.send(i));
    EXPECT_FALSE(f.send(4));
    EXPECT_EQ(f.queue.flush(), SendQueue::Flushed::all);
    EXPECT_EQ(f.kernel.calls, 1);
    EXPECT_EQ(f.kernel.numbers, (std::vector<int>{0, 1, 2, 3}));
    EXPECT_EQ(f.queue.figures().datagrams_sent, 4U);
    EXPECT_EQ(f.queue.figures().bytes_sent, 16U);
}

TEST(SendQueue, a_full_socket_buffer_is_back_pressure_and_loses_nothing) {
    Fixture f;
    f.kernel.room = 6;
    std::vector<int> expected;
    int next = 0;
    for (int round = 0; round < 50; ++round) {
        while (f.send(next)) expected.push_back(next++);
        if (f.queue.flush() == SendQueue::Flushed::blocked) {
            EXPECT_FALSE(f.queue.empty());
            f.kernel.room = 3;  // writable again
        }
    }
    f.kernel.room = SIZE_MAX;
    EXPECT_EQ(f.queue.flush(), SendQueue::Flushed::all);
    EXPECT_EQ(f.kernel.numbers, expected);
    EXPECT_GT(f.queue.figures().times_blocked, 10U);
    EXPECT_EQ(f.queue.figures().datagrams_refused, 0U);
}

TEST(SendQueue, tells_a_lack_of_buffers_from_a_full_socket) {
    Fixture f;
    f.kernel.room = 0;
    f.kernel.error = ENOBUFS;
    EXPECT_TRUE(f.send(1));
    EXPECT_EQ(f.queue.flush(), SendQueue::Flushed::no_memory);
    EXPECT_FALSE(f.queue.empty());
}

TEST(SendQueue, drops_and_counts_only_the_packet_that_the_kernel_refuses) {
    Fixture f;
    f.kernel.room = 0;
    f.kernel.error = ENETUNREACH;
    EXPECT_TRUE(f.send(1));
    EXPECT_TRUE(f.send(2));
    EXPECT_EQ(f.queue.flush(), SendQueue::Flushed::all);
    EXPECT_EQ(f.queue.figures().datagrams_refused, 2U);
    EXPECT_EQ(f.queue.figures().datagrams_sent, 0U);
}

TEST(SendQueue, injects_the_loss_it_was_told_the_same_for_the_same_seed) {
    std::vector<int> runs[2];
    for (std::vector<int>& run : runs) {
        Fixture f({.packets_max = 4, .packet_bytes_max = 64, .loss_ppm = 50'000, .loss_seed = 11});
        for (int i = 0; i < 20'000; ++i) {
            EXPECT_TRUE(f.send(i));
            EXPECT_EQ(f.queue.flush(), SendQueue::Flushed::all);
        }
        EXPECT_EQ(f.queue.figures().datagrams_sent + f.queue.figures().datagrams_dropped, 20'000U);
        EXPECT_NEAR(static_cast<double>(f.queue.figures().datagrams_dropped), 1000.0, 150.0);
        run = f.kernel.numbers;
    }
    EXPECT_EQ(runs[0], runs[1]);
}

}  // namespace
}  // namespace dunlin_asio
