// Producers are threads here, of which bare metal has none.
#include <dunlin/node/mailbox.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace dunlin {
namespace {

TEST(MailboxProducers, lose_and_repeat_nothing_when_four_post_at_once) {
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
