#include <dunlin/core/random.hpp>
#include <dunlin/link/ack_tracker.hpp>
#include <dunlin/wire/record.hpp>

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace dunlin::link {
namespace {

struct AckTrackerTest : testing::Test {
    std::array<NumberRange, 8> ranges{};
    AckTracker acks{ranges};
    Instant now{seconds{1}};
    std::array<std::byte, 600> buffer{};

    void receive(std::uint64_t number, bool eliciting = true) {
        ASSERT_FALSE(acks.is_duplicate(PacketNumber{number})) << number;
        acks.on_received(now, PacketNumber{number}, eliciting);
    }
    // Every packet number that an ack names, from the largest down.
    std::vector<std::uint64_t> written(std::size_t room = 600) {
        wire::PacketWriter writer{std::span<std::byte>(buffer).first(room)};
        if (!acks.write(now, writer)) return {};
        const auto ack = wire::load<wire::Ack>(std::span(buffer).subspan(44));
        std::vector<std::uint64_t> numbers;
        std::uint64_t next = ack.largest();
        for (std::uint32_t i = 0; i < ack.first_length(); ++i) numbers.push_back(next--);
        for (std::size_t r = 0; r < ack.range_count(); ++r) {
            const auto range = wire::load<wire::AckRange>(std::span(buffer).subspan(68 + r * 8));
            next -= range.gap();
            for (std::uint32_t i = 0; i < range.length(); ++i) numbers.push_back(next--);
        }
        return numbers;
    }
};

TEST_F(AckTrackerTest, waits_five_milliseconds_or_for_a_second_packet) {
    receive(1);
    EXPECT_EQ(acks.due(), now + milliseconds{5});
    now += milliseconds{1};
    receive(2);
    EXPECT_LE(acks.due(), now);
    EXPECT_EQ(written(), (std::vector<std::uint64_t>{2, 1}));
    EXPECT_EQ(acks.due(), kNever);
}

TEST_F(AckTrackerTest, acks_at_once_when_a_number_is_missing_and_when_it_comes) {
    receive(1);
    (void)written();
    receive(3);
    EXPECT_LE(acks.due(), now);
    EXPECT_EQ(written(), (std::vector<std::uint64_t>{3, 1}));
    receive(2);
    EXPECT_LE(acks.due(), now);
    EXPECT_EQ(written(), (std::vector<std::uint64_t>{3, 2, 1}));
}

TEST_F(AckTrackerTest, an_ack_for_several_packets_leaves_twice_where_packets_went_missing_shortly_before) {
    for (std::uint64_t number = 1; number <= 9; ++number) receive(number);
    EXPECT_EQ(written().size(), 9U);
    EXPECT_EQ(acks.due(), kNever);
    std::uint64_t number = 10;  // is missing
    unsigned repeats = 0;
    for (int batch = 0; batch < 2 * AckTracker::kRepeatsPerGap; ++batch) {
        for (int i = 0; i < AckTracker::kPacketsPerAck; ++i) receive(++number);
        const auto first = written();
        if (acks.due() > now) continue;
        ++repeats;
        EXPECT_EQ(written(), first);
        EXPECT_EQ(acks.due(), kNever);
    }
    EXPECT_EQ(repeats, AckTracker::kRepeatsPerGap);

    receive(number + 2);  // alone: what is lost with its ack is soon made good
    (void)written();
    EXPECT_EQ(acks.due(), kNever);
}

TEST_F(AckTrackerTest, packets_that_do_not_ask_for_an_ack_get_none_of_their_own) {
    receive(1, false);
    receive(2, false);
    EXPECT_EQ(acks.due(), kNever);
    receive(3);
    EXPECT_EQ(written(), (std::vector<std::uint64_t>{3, 2, 1}));
}

TEST_F(AckTrackerTest, names_exactly_what_was_received_in_any_order) {
    for (std::uint64_t seed = 1; seed < 60; ++seed) {
        AckTracker fresh(ranges);
        acks = fresh;
        Random random(seed);
        std::set<std::uint64_t> received;
        for (int i = 0; i < 40; ++i) {
            const std::uint64_t number = 1 + random.below(14);  // at most 7 ranges
            ASSERT_EQ(acks.is_duplicate(PacketNumber{number}), received.count(number) != 0);
            if (received.insert(number).second) acks.on_received(now, PacketNumber{number}, true);
            ASSERT_EQ(written(), (std::vector<std::uint64_t>(received.rbegin(), received.rend())));
        }
    }
}

TEST_F(AckTrackerTest, with_more_ranges_than_room_forgets_the_lowest_and_takes_its_packets_for_duplicates) {
    for (std::uint64_t number = 2; number <= 18; number += 2) receive(number);
    EXPECT_EQ(written().back(), 4U);
    EXPECT_TRUE(acks.is_duplicate(PacketNumber{1}));
    EXPECT_TRUE(acks.is_duplicate(PacketNumber{2}));
    EXPECT_FALSE(acks.is_duplicate(PacketNumber{3}));
    receive(3);
    EXPECT_EQ(written().back(), 3U);
    // One below all that is kept, with no room left.
    AckTracker full(ranges);
    acks = full;
    for (std::uint64_t number = 10; number <= 24; number += 2) receive(number);
    receive(5);
    EXPECT_EQ(written().back(), 10U);
    EXPECT_TRUE(acks.is_duplicate(PacketNumber{5}));
}

TEST_F(AckTrackerTest, forgets_ranges_below_the_acknowledged_ack) {
    receive(1);
    receive(3);
    receive(5);
    acks.on_ack_acked(3);
    EXPECT_EQ(written(), (std::vector<std::uint64_t>{5}));
    EXPECT_TRUE(acks.is_duplicate(PacketNumber{2}));
    acks.on_ack_acked(5);
    EXPECT_EQ(written(), (std::vector<std::uint64_t>{5}));
    EXPECT_TRUE(acks.is_duplicate(PacketNumber{5}));
    receive(6);
    EXPECT_EQ(written(), (std::vector<std::uint64_t>{6, 5}));
}

TEST_F(AckTrackerTest, writes_as_many_ranges_as_fit) {
    for (std::uint64_t number = 1; number <= 9; number += 2) receive(number);
    EXPECT_EQ(written(40 + 4 + 24 + 16), (std::vector<std::uint64_t>{9, 7, 5}));
    EXPECT_EQ(written(40 + 4 + 24), (std::vector<std::uint64_t>{9}));
    EXPECT_TRUE(written(40 + 4 + 16).empty());
}

TEST_F(AckTrackerTest, states_how_long_the_ack_took) {
    receive(1);
    now += milliseconds{3};
    (void)written();
    EXPECT_EQ(wire::load<wire::Ack>(std::span(buffer).subspan(44)).delay_us(), 3000U);
}

TEST_F(AckTrackerTest, numbers_may_pass_the_32_bit_limit) {
    for (std::uint64_t number = 0xffff'fffdU; number <= 0x1'0000'0003U; ++number) {
        if (number != 0x1'0000'0000U) receive(number);
    }
    EXPECT_EQ(written().size(), 6U);
    EXPECT_FALSE(acks.is_duplicate(PacketNumber{0x1'0000'0000U}));
    EXPECT_TRUE(acks.is_duplicate(PacketNumber{0xffff'ffffU}));
    receive(0x1'0000'0000U);
    EXPECT_EQ(written().size(), 7U);
}

}  // namespace
}  // namespace dunlin::link
