#include <dunlin/node/mailbox.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace dunlin {
namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Mailbox, gives_publishes_back_in_order_and_says_busy_when_full) {
    MailboxOf<4, 16> mailbox;
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < 4; ++i) EXPECT_EQ(mailbox.post("t", bytes(std::to_string(round * 4 + i))), Status::ok);
        EXPECT_EQ(mailbox.post("t", {}), Status::busy);
        Mailbox::Message message;
        for (int i = 0; i < 4; ++i) {
            ASSERT_TRUE(mailbox.peek(message));
            EXPECT_EQ(message.topic, "t");
            EXPECT_EQ(std::string(reinterpret_cast<const char*>(message.payload.data()), message.payload.size()),
                      std::to_string(round * 4 + i));
            mailbox.pop();
        }
        EXPECT_FALSE(mailbox.peek(message));
    }
}

TEST(Mailbox, refuses_what_is_longer_than_a_cell) {
    MailboxOf<2, 8> mailbox;
    EXPECT_EQ(mailbox.post("topic", bytes("1234")), Status::too_large);
    EXPECT_EQ(mailbox.post("topic", bytes("123")), Status::ok);
}

TEST(Mailbox, loses_and_repeats_nothing_under_four_producers) {
    constexpr std::uint32_t kEach = 5000;
    MailboxOf<64, 16> mailbox;
    std::vector<std::thread> producers;
    for (std::uint32_t p = 0; p < 4; ++p) {
        producers.emplace_back([&mailbox, p] {
            for (std::uint32_t i = 0; i < kEach;) {
                const std::array<std::uint32_t, 2> value{p, i};
                if (mailbox.post("", std::as_bytes(std::span(value))) == Status::ok) {
                    ++i;
                } else {
                    std::this_thread::yield();
                }
            }
        });
    }
    std::array<std::uint32_t, 4> expected{};
    for (std::uint32_t seen = 0; seen < 4 * kEach;) {
        Mailbox::Message message;
        if (!mailbox.peek(message)) {
            std::this_thread::yield();
            continue;
        }
        std::array<std::uint32_t, 2> value{};
        ASSERT_EQ(message.payload.size(), sizeof(value));
        std::memcpy(value.data(), message.payload.data(), sizeof(value));
        ASSERT_EQ(value[1], expected[value[0]]++);
        mailbox.pop();
        ++seen;
    }
    for (std::thread& producer : producers) producer.join();
}

}  // namespace
}  // namespace dunlin
