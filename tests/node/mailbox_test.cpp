#include <dunlin/node/mailbox.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <string>

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

}  // namespace
}  // namespace dunlin
