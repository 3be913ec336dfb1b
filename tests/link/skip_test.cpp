// What a receiver makes of skips that name far more than it has, and what a sender counts of what it has given up.
#include <link/fragment_lane.hpp>

namespace dunlin::link {
namespace {

constexpr std::uint32_t kLongest = 0xffff;

// LaneReceiver asserts that its steps are bounded by its window and its inbox, which are far below what is named here.
struct SkipTest : FragmentTest {
    bool give_whole(std::uint64_t sequence) { return run(sequence, whole_message()); }
    static std::vector<std::byte> whole_message() {
        const wire::MessageHead head(1, 0, 0, 0, 0);
        std::vector<std::byte> out(sizeof(head) + 4);
        std::memcpy(out.data(), &head, sizeof(head));
        return out;
    }
};

TEST_F(SkipTest, a_long_one_costs_no_more_than_a_short_one) {
    EXPECT_TRUE(skip(1, kLongest, false));
    EXPECT_EQ(settled(), Sequence{kLongest});
    EXPECT_TRUE(skip(1, kLongest, false));  // it may come twice
    EXPECT_TRUE(skip(kLongest + 1, kLongest, true, kLongest));
    EXPECT_EQ(settled(), Sequence{2 * kLongest});
    EXPECT_EQ(end.inbox.used(), 0U);
    EXPECT_TRUE(give_whole(2 * kLongest + 1));
    EXPECT_EQ(end.delivered.size(), 1U);
}

TEST_F(SkipTest, a_long_one_ends_what_waits_and_comes_again_for_the_rest) {
    end.handler = [](const InboundMessage&) { return Disposition::pending; };
    EXPECT_TRUE(give_whole(5));
    EXPECT_TRUE(give_whole(kLongest));
    EXPECT_FALSE(skip(1, kLongest, false));
    EXPECT_GT(settled(), Sequence{5});
    EXPECT_TRUE(skip(1, kLongest, false));
    EXPECT_EQ(settled(), Sequence{kLongest});
    EXPECT_EQ(end.delivered.size(), 0U);
    EXPECT_TRUE(give_whole(kLongest + 1));
    EXPECT_EQ(end.delivered.size(), 1U);
    EXPECT_EQ(end.inbox.used(), 1U);
}

TEST_F(SkipTest, behind_a_pending_message_a_long_one_takes_the_window_and_its_share_and_comes_again) {
    end.handler = [](const InboundMessage&) { return Disposition::pending; };
    EXPECT_TRUE(give_whole(1));
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(skip(2, kLongest - 1, false));
    EXPECT_EQ(settled(), Sequence{0});
    EXPECT_LT(end.inbox.used(), end.inbox.capacity());
    EXPECT_EQ(receiver().complete(now, Sequence{1}, 1, Disposition::accepted), Status::ok);
    EXPECT_EQ(end.inbox.used(), 0U);
    EXPECT_TRUE(skip(2, kLongest - 1, false));
    EXPECT_EQ(settled(), Sequence{kLongest});
}

TEST_F(SkipTest, behind_a_gap_a_long_one_takes_its_share_and_comes_again) {
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(skip(3, kLongest, false));
    EXPECT_LT(end.inbox.used(), end.inbox.capacity());
    EXPECT_TRUE(give_whole(1));
    EXPECT_TRUE(give_whole(2));
    EXPECT_TRUE(skip(3, kLongest, false));
    EXPECT_EQ(settled(), Sequence{kLongest + 2});
}

TEST_F(SkipTest, one_that_asks_for_more_outcomes_than_there_are_notes_takes_the_notes_and_its_share_and_comes_again) {
    EXPECT_FALSE(skip(1, kLongest, true, 2));
    const SettlementBook& book = receiver().settlements();
    EXPECT_FALSE(book.note_fits());
    EXPECT_GT(end.inbox.used(), 0U);
    EXPECT_LT(end.inbox.used(), end.inbox.capacity());
}

// It seemed to be lost, but the peer may have it: credit is not used a second time before it has answered.
TEST_F(SkipTest, what_seemed_to_be_lost_and_is_then_given_up_uses_credit) {
    (void)declare_alias();
    const wire::Settlement three(5, 1, 0, 0, 0, 3, 1000);
    ASSERT_TRUE(sender().on_settlement({wire::RecordType::settlement, bytes_of(three), {}}));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(end.publish(now, "x", {.lifetime = milliseconds{50}}));
    (void)write(1200);
    ASSERT_EQ(sent.range_count(0), 3U);
    sender().on_packet_lost(now, sent);
    now += milliseconds{60};
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(end.publish(now, "x"));
    (void)write(1200);
    ASSERT_EQ(sent.ranges(), 1U);
    EXPECT_TRUE(sent.range_is_skip(0));
}

}  // namespace
}  // namespace dunlin::link
