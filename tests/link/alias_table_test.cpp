#include <dunlin/link/alias_table.hpp>

#include <gtest/gtest.h>

#include <array>

namespace dunlin::link {
namespace {

SentPacket declaring(std::uint32_t number, std::uint16_t alias) {
    SentPacket packet;
    packet.number_low = number;
    packet.declare(alias);
    return packet;
}

TEST(SentAliases, an_alias_counts_as_known_once_a_packet_that_declared_it_is_acknowledged) {
    std::array<SentAlias, 2> slots{};
    SentAliases aliases(slots);
    EXPECT_EQ(aliases.find(TopicIndex{1}, SubscriptionId{1}), kNoAlias);
    const std::uint16_t alias = aliases.assign(TopicIndex{1}, SubscriptionId{1}, 10, false);
    EXPECT_EQ(aliases.find(TopicIndex{1}, SubscriptionId{1}), alias);
    EXPECT_EQ(aliases.find(TopicIndex{1}, SubscriptionId{2}), kNoAlias);
    EXPECT_FALSE(aliases.acked(alias));
    aliases.declared(alias);
    aliases.on_packet_lost(declaring(10, alias));
    EXPECT_FALSE(aliases.in_flight(alias));
    aliases.on_packet_acked(declaring(12, alias));
    EXPECT_TRUE(aliases.acked(alias));
}

TEST(SentAliases, the_ack_of_an_older_meaning_does_not_count) {
    std::array<SentAlias, 1> slots{};
    SentAliases aliases(slots);
    const std::uint16_t alias = aliases.assign(TopicIndex{1}, SubscriptionId{1}, 10, false);
    EXPECT_EQ(aliases.assign(TopicIndex{2}, SubscriptionId{1}, 20, false), alias);
    aliases.on_packet_acked(declaring(10, alias));
    EXPECT_FALSE(aliases.acked(alias));
    aliases.on_packet_acked(declaring(20, alias));
    EXPECT_TRUE(aliases.acked(alias));
}

TEST(SentAliases, takes_no_alias_away_from_a_packet_that_uses_aliases) {
    std::array<SentAlias, 1> slots{};
    SentAliases aliases(slots);
    (void)aliases.assign(TopicIndex{1}, SubscriptionId{1}, 10, true);
    EXPECT_EQ(aliases.assign(TopicIndex{2}, SubscriptionId{1}, 11, true), kNoAlias);
}

TEST(SentAliases, reuses_the_alias_that_was_not_used_for_a_while) {
    std::array<SentAlias, 3> slots{};
    SentAliases aliases(slots);
    for (std::uint16_t topic = 0; topic < 3; ++topic) (void)aliases.assign(TopicIndex{topic}, SubscriptionId{1}, 1, false);
    const std::uint16_t first = aliases.assign(TopicIndex{3}, SubscriptionId{1}, 2, false);
    EXPECT_EQ(aliases.find(TopicIndex{0}, SubscriptionId{1}), kNoAlias);
    // Topic 1 is used, 2 is not: 2 goes next.
    EXPECT_NE(aliases.find(TopicIndex{1}, SubscriptionId{1}), kNoAlias);
    (void)aliases.assign(TopicIndex{4}, SubscriptionId{1}, 3, false);
    EXPECT_NE(aliases.find(TopicIndex{1}, SubscriptionId{1}), kNoAlias);
    EXPECT_EQ(aliases.find(TopicIndex{2}, SubscriptionId{1}), kNoAlias);
    EXPECT_EQ(aliases.find(TopicIndex{3}, SubscriptionId{1}), first);
}

struct ReceivedAliasesTest : testing::Test {
    std::array<ReceivedAlias, 4> slots{};
    ReceivedAliases aliases{slots};
    TopicIndex meaning(std::uint16_t alias, std::uint32_t number) const {
        const ReceivedAlias* found = aliases.find(alias, number);
        return found == nullptr ? kNoTopic : found->topic;
    }
};

TEST_F(ReceivedAliasesTest, an_alias_means_nothing_before_it_is_declared) {
    EXPECT_EQ(meaning(1, 5), kNoTopic);
    EXPECT_EQ(meaning(9, 5), kNoTopic);
    EXPECT_FALSE(aliases.fits(4));
    aliases.declare(1, 5, TopicIndex{7}, SubscriptionId{1});
    EXPECT_EQ(meaning(1, 5), TopicIndex{7});
    EXPECT_EQ(meaning(1, 6), TopicIndex{7});
    EXPECT_EQ(meaning(1, 4), kNoTopic);
}

TEST_F(ReceivedAliasesTest, a_late_packet_keeps_its_own_declaration_and_changes_nothing_for_later_ones) {
    aliases.declare(1, 9, TopicIndex{8}, SubscriptionId{1});
    aliases.declare(1, 5, TopicIndex{7}, SubscriptionId{1});
    EXPECT_EQ(meaning(1, 5), TopicIndex{7});
    EXPECT_EQ(meaning(1, 10), TopicIndex{8});
    EXPECT_EQ(meaning(1, 6), kNoTopic);
}

// X in packet 5, Y in 9, X again in 12: 9 arrives last.
TEST_F(ReceivedAliasesTest, a_meaning_that_came_back_is_not_taken_for_the_one_between) {
    aliases.declare(1, 5, TopicIndex{1}, SubscriptionId{1});
    aliases.declare(1, 12, TopicIndex{1}, SubscriptionId{1});
    EXPECT_EQ(meaning(1, 10), kNoTopic);
    aliases.declare(1, 9, TopicIndex{2}, SubscriptionId{1});
    EXPECT_EQ(meaning(1, 9), TopicIndex{2});
    EXPECT_EQ(meaning(1, 13), TopicIndex{1});
}

TEST_F(ReceivedAliasesTest, numbers_may_pass_the_32_bit_limit) {
    aliases.declare(1, 0xffff'fffeU, TopicIndex{1}, SubscriptionId{1});
    EXPECT_EQ(meaning(1, 3), TopicIndex{1});
    aliases.declare(1, 2, TopicIndex{2}, SubscriptionId{1});
    EXPECT_EQ(meaning(1, 3), TopicIndex{2});
    EXPECT_EQ(meaning(1, 0xffff'ffffU), kNoTopic);
}

}  // namespace
}  // namespace dunlin::link
