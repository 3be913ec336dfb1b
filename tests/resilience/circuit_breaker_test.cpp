#include <dunlin/resilience/circuit_breaker.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::resilience {
namespace {

constexpr Instant at(std::int64_t ms) { return Instant{} + milliseconds{1'000'000 + ms}; }

struct Breaker : testing::Test {
    void open(Instant now) {
        for (int i = 0; i < CircuitBreaker::kFailures; ++i) (void)circuit.on_silence(now, random);
        ASSERT_EQ(circuit.state(), CircuitState::open);
    }
    // Until it admits the next question.
    Duration pause(Instant now) const {
        Duration waited{};
        while (!circuit.admits(now + waited)) waited += milliseconds{1};
        return waited;
    }
    Random random{1};
    CircuitBreaker circuit;
};

TEST_F(Breaker, opens_after_three_silences_in_a_row_and_an_answer_between_starts_the_count_anew) {
    EXPECT_FALSE(circuit.on_silence(at(0), random));
    EXPECT_FALSE(circuit.on_silence(at(0), random));
    EXPECT_FALSE(circuit.on_answer());
    EXPECT_FALSE(circuit.on_silence(at(0), random));
    EXPECT_FALSE(circuit.on_silence(at(0), random));
    EXPECT_TRUE(circuit.admits(at(0)));
    EXPECT_TRUE(circuit.on_silence(at(0), random));
    EXPECT_EQ(circuit.state(), CircuitState::open);
    EXPECT_FALSE(circuit.on_silence(at(0), random));  // it is known
}

TEST_F(Breaker, lets_one_question_through_after_its_pause) {
    open(at(0));
    const Instant due = at(0) + pause(at(0));
    EXPECT_FALSE(circuit.on_asked(at(0)));  // somebody had to
    EXPECT_EQ(circuit.state(), CircuitState::open);
    EXPECT_TRUE(circuit.on_asked(due));
    EXPECT_EQ(circuit.state(), CircuitState::half_open);
    EXPECT_FALSE(circuit.admits(due));
    EXPECT_FALSE(circuit.on_asked(due));
    EXPECT_TRUE(circuit.on_answer());
    EXPECT_EQ(circuit.state(), CircuitState::closed);
    EXPECT_TRUE(circuit.admits(due));
}

TEST_F(Breaker, a_probe_whose_fate_nobody_tells_makes_room_for_another) {
    open(at(0));
    EXPECT_TRUE(circuit.on_asked(at(600)));
    EXPECT_FALSE(circuit.admits(at(1500)));
    EXPECT_TRUE(circuit.admits(at(1700)));
    EXPECT_TRUE(circuit.on_asked(at(1700)));
}

TEST_F(Breaker, pauses_for_longer_after_each_failed_probe_by_chance) {
    Duration longest{};
    Duration shortest = Duration::max();
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        random = Random(seed);
        circuit = {};
        Instant now = at(0);
        open(now);
        for (int probe = 0; probe < 6; ++probe) {
            const Duration waits = pause(now);
            const Duration ceiling = std::min<Duration>(CircuitBreaker::kPauseBase * (1 << probe), CircuitBreaker::kPauseMax);
            ASSERT_LE(waits, ceiling + milliseconds{9}) << probe;
            if (probe == 5) {
                longest = std::max(longest, waits);
                shortest = std::min(shortest, waits);
            }
            now += waits;
            ASSERT_TRUE(circuit.on_asked(now));
            ASSERT_TRUE(circuit.on_silence(now, random));
        }
    }
    EXPECT_GT(longest, seconds{7});
    EXPECT_LT(shortest, seconds{1});
}

TEST_F(Breaker, a_sign_of_life_ends_the_pause_and_no_more) {
    open(at(0));
    circuit.on_sign_of_life(at(1));
    EXPECT_TRUE(circuit.admits(at(1)));
    EXPECT_EQ(circuit.state(), CircuitState::open);
    EXPECT_TRUE(circuit.on_asked(at(1)));
    EXPECT_TRUE(circuit.on_silence(at(2), random));
}

TEST_F(Breaker, a_moment_long_past_is_not_taken_for_one_to_come) {
    open(at(0));
    EXPECT_TRUE(circuit.admits(at(0) + seconds{300}));  // half of the way round
    EXPECT_TRUE(circuit.admits(at(0) + seconds{500}));
}

}  // namespace
}  // namespace dunlin::resilience
