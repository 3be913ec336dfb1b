#include <dunlin/link/credit.hpp>
#include <link/endpoint.hpp>

#include <gtest/gtest.h>

namespace dunlin::link {
namespace {

constexpr Lane kNormal = Lane::normal;

TEST(Credit, is_counted_in_messages_and_in_units_of_their_bodies) {
    EXPECT_EQ(Credit::units_of(0), 1U);
    EXPECT_EQ(Credit::units_of(64), 1U);
    EXPECT_EQ(Credit::units_of(65), 2U);
    EXPECT_EQ(Credit::units_of(0xffff), 1024U);

    CreditAccount account(1);
    account.start({.messages = 3, .units = 10});
    account.take(9);
    EXPECT_TRUE(account.allows(kNormal)) << "whatever its length";
    account.take(5);
    EXPECT_FALSE(account.allows(kNormal));
    account.give_back(9);
    EXPECT_TRUE(account.allows(kNormal));
    account.take(1);
    account.take(1);
    EXPECT_FALSE(account.allows(kNormal)) << "a fourth message";
}

TEST(Credit, that_was_never_stated_is_unlimited) {
    CreditAccount account(1);
    account.start({});
    for (int i = 0; i < 60'000; ++i) account.take(3);
    EXPECT_TRUE(account.allows(kNormal));
}

TEST(Credit, holds_until_another_is_stated) {
    CreditAccount account(1);
    account.start({.messages = 5, .units = 5});
    for (int i = 0; i < 3; ++i) account.take(1);
    account.state({}, {});
    EXPECT_TRUE(account.allows(kNormal));
    account.state({.messages = 2, .units = 2}, {});
    EXPECT_FALSE(account.allows(kNormal)) << "more is under way than the new one allows";
    account.give_back(1);
    EXPECT_FALSE(account.allows(kNormal));
    account.give_back(1);
    EXPECT_TRUE(account.allows(kNormal));
    account.start({.messages = 1, .units = 1});
    EXPECT_TRUE(account.allows(kNormal)) << "nothing is under way in a new session";
}

TEST(Credit, is_what_the_latest_packet_says) {
    CreditAccount account(1);
    account.start({.messages = 5, .units = 5});
    account.state({.messages = 9, .units = 9}, PacketNumber{7});
    account.state({.messages = 3, .units = 3}, PacketNumber{6});
    account.take(8);
    EXPECT_TRUE(account.allows(kNormal));
    account.start({.messages = 5, .units = 5});
    account.state({.messages = 3, .units = 3}, PacketNumber{1});
    account.take(3);
    EXPECT_FALSE(account.allows(kNormal)) << "numbers of another session";
}

TEST(Credit, of_a_lane_leaves_room_for_those_above_it) {
    CreditAccount account(3);
    account.start({.messages = 16, .units = 1000});
    for (int i = 0; i < 12; ++i) account.take(1);
    EXPECT_TRUE(account.allows(Lane::bulk));
    account.take(1);
    EXPECT_FALSE(account.allows(Lane::bulk));
    EXPECT_TRUE(account.allows(Lane::normal));
    account.take(1);
    account.take(1);
    EXPECT_FALSE(account.allows(Lane::normal));
    EXPECT_TRUE(account.allows(Lane::urgent));
    account.take(1);
    EXPECT_FALSE(account.allows(Lane::urgent));
}

TEST(Credit, that_is_ample_is_there_for_every_lane) {
    for (std::uint16_t limit = 1; limit <= 12; ++limit) {
        for (std::uint16_t used = 0; used <= limit; ++used) {
            CreditAccount account(3);
            account.start({.messages = limit, .units = limit});
            for (std::uint16_t i = 0; i < used; ++i) account.take(1);
            ASSERT_EQ(account.ample(1), 2 * (used + 1) <= limit) << used << " of " << limit;
            if (!account.ample(1)) continue;
            EXPECT_FALSE(account.least());
            EXPECT_TRUE(account.covers(1));
            for (const Lane lane : kLanesByPriority) EXPECT_TRUE(account.allows(lane)) << used << " of " << limit;
            EXPECT_FALSE(account.ample(limit)) << "in units";
            account.waits(Lane::urgent, true);
            EXPECT_FALSE(account.ample(1)) << "somebody waits";
        }
    }
}

TEST(Credit, goes_to_the_highest_lane_that_waits_for_it) {
    CreditAccount account(2);
    account.start({.messages = 100, .units = 16});
    account.take(16);
    EXPECT_FALSE(account.allows(Lane::urgent));
    account.waits(Lane::urgent, true);
    account.give_back(16);
    EXPECT_TRUE(account.allows(Lane::urgent));
    EXPECT_FALSE(account.allows(Lane::normal)) << "it would keep the urgent one waiting";
    account.waits(Lane::urgent, false);
    EXPECT_TRUE(account.allows(Lane::normal));
}

// What a lane is allowed to wait with in all, found out one by one.
TEST(Credit, is_what_may_wait_in_the_inbox) {
    BoxArrays<kTestLimits> boxes;
    Inbox inbox(boxes.inbox_storage());
    InboxShare share;
    const Credit first = inbox.credit(share);
    const std::vector<std::byte> body(64);
    InboxShare other;
    for (int i = 0; i < 30; ++i) static_cast<void>(inbox.put(body, other));
    const Credit less = inbox.credit(share);
    EXPECT_TRUE(less.less_than(first));

    std::size_t waiting = 0;
    for (; inbox.may_wait(body.size(), share); ++waiting) {
        static_cast<void>(inbox.put(body, share));
        EXPECT_EQ(inbox.credit(share).messages, less.messages) << "its own messages take none of it";
    }
    EXPECT_EQ(waiting, less.messages);
    EXPECT_LE(waiting, less.units);
}

TEST(Credit, is_one_message_where_there_is_no_room_at_all) {
    BoxArrays<kTestLimits> boxes;
    Inbox inbox(boxes.inbox_storage());
    InboxShare other;
    while (inbox.fits(128)) static_cast<void>(inbox.put(std::vector<std::byte>(128), other));
    const Credit credit = inbox.credit({});
    EXPECT_EQ(credit.messages, 1U);
    EXPECT_EQ(credit.units, 1U);
}

TEST(Credit, is_worth_a_packet_when_it_has_grown_by_more_than_a_quarter) {
    constexpr Credit kTold{.messages = 10, .units = 100};
    EXPECT_FALSE((Credit{12, 125}.much_more_than(kTold)));
    EXPECT_TRUE((Credit{13, 50}.much_more_than(kTold)));
    EXPECT_TRUE((Credit{5, 126}.much_more_than(kTold)));
    EXPECT_FALSE((Credit{1, 1}.much_more_than(Credit{1, 1})));
    EXPECT_TRUE((Credit{2, 1}.much_more_than(Credit{1, 1})));
    EXPECT_TRUE((Credit{9, 300}.less_than(kTold)));
    EXPECT_FALSE((Credit{10, 100}.less_than(kTold)));
}

}  // namespace
}  // namespace dunlin::link
