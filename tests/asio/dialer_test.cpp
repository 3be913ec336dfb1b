#include "asio/run_until.hpp"

#include <dunlin_asio/dialer.hpp>

#include <gtest/gtest.h>

namespace dunlin_asio {
namespace {

TEST(Dialer, answers_numeric_addresses_at_once) {
    asio::io_context io;
    Dialer dialer(io, asio::ip::udp::v4());
    dialer.look_up(7, "127.0.0.1:9");
    const std::optional<Dialer::Answer> answer = dialer.take();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->dial, 7);
    EXPECT_EQ(answer->endpoint, numeric_address("127.0.0.1:9"));
    EXPECT_FALSE(dialer.take());
}

TEST(Dialer, answers_a_malformed_address_with_nothing) {
    asio::io_context io;
    Dialer dialer(io, asio::ip::udp::v4());
    dialer.look_up(3, "what?");
    const std::optional<Dialer::Answer> answer = dialer.take();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->dial, 3);
    EXPECT_FALSE(answer->endpoint);
}

TEST(Dialer, looks_a_name_up_off_the_loop) {
    asio::io_context io;
    Dialer dialer(io, asio::ip::udp::v4());
    dialer.look_up(5, "localhost:9");
    std::optional<Dialer::Answer> answer;
    ASSERT_TRUE(asio_test::run_until(io, [&] { return (answer = dialer.take()).has_value(); }));
    EXPECT_EQ(answer->dial, 5);
    EXPECT_EQ(answer->endpoint, numeric_address("127.0.0.1:9"));
}

TEST(Dialer, answers_every_call_also_beyond_its_bound) {
    asio::io_context io;
    Dialer dialer(io, asio::ip::udp::v4());
    constexpr std::size_t kCalls = Dialer::kLookupsMax + 5;
    for (std::size_t i = 0; i < kCalls; ++i) dialer.look_up(static_cast<std::uint16_t>(i + 1), "localhost:9");
    std::size_t answers = 0;
    std::size_t found = 0;
    ASSERT_TRUE(asio_test::run_until(io, [&] {
        while (const auto answer = dialer.take()) {
            ++answers;
            found += answer->endpoint ? 1U : 0U;
        }
        return answers == kCalls;
    }));
    EXPECT_EQ(found, Dialer::kLookupsMax);
}

TEST(Dialer, may_be_destroyed_with_a_lookup_under_way) {
    asio::io_context io;
    {
        Dialer dialer(io, asio::ip::udp::v4());
        dialer.look_up(1, "localhost:9");
    }
    io.run();
}

}  // namespace
}  // namespace dunlin_asio
