#include <link/link_pair.hpp>

#include <gtest/gtest.h>

namespace dunlin::link {
namespace {

using Publish = Endpoint::Publish;

std::vector<std::string> in_lane(const Endpoint& end, Lane lane) {
    std::vector<std::string> all;
    for (const Delivered& message : end.delivered) {
        if (message.lane == lane) all.push_back(message.payload);
    }
    return all;
}

// Node 1 and node 2, with so many lanes each.
struct Lanes : testing::Test {
    LinkPair pair;
    void open(std::size_t a, std::size_t b) {
        pair.lanes = {a, b};
        pair.reset(0, LinkSelf{});
        pair.reset(1, LinkSelf{});
        pair.open();
    }
};

TEST_F(Lanes, each_keeps_its_order_and_settles_on_its_own_whatever_is_lost) {
    pair.faults = {.loss_percent = 20, .duplicate_percent = 10, .delay_max = milliseconds{2}};
    open(3, 3);
    int sent = 0;
    std::size_t settled = 0;
    pair.run_until(
        [&] {
            while (sent < 600 && pair.a().publish(pair.now, std::to_string(sent), {.lane = static_cast<Lane>(sent % 3)})) ++sent;
            settled += pair.a().outcomes().size();
            return settled == 600;
        },
        seconds{120});
    EXPECT_EQ(settled, 600U);
    EXPECT_EQ(pair.b().delivered.size(), 600U);
    for (const Lane lane : kLanesByPriority) {
        const std::vector<std::string> got = in_lane(pair.b(), lane);
        ASSERT_EQ(got.size(), 200U);
        for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], std::to_string(3 * i + index_of(lane)));
        EXPECT_EQ(pair.a().link->sender(lane).first(), pair.a().link->sender(lane).next());
    }
}

TEST_F(Lanes, an_urgent_message_leaves_at_once_however_full_bulk_is) {
    pair.faults = {.delay_min = milliseconds{5}, .delay_max = milliseconds{5}};
    open(3, 3);
    const std::string long_one(600, 'x');
    for (int i = 0; i < 300; ++i) ASSERT_TRUE(pair.a().publish(pair.now, i < 60 ? long_one : "b", {.lane = Lane::bulk}));
    pair.run_for(milliseconds{3});
    ASSERT_TRUE(pair.a().link->sender(Lane::bulk).unsettled() > 5);
    ASSERT_TRUE(pair.a().publish(pair.now, "now", {.lane = Lane::urgent}));
    pair.run_for(milliseconds{6});
    EXPECT_EQ(in_lane(pair.b(), Lane::urgent), std::vector<std::string>{"now"});
    EXPECT_LT(in_lane(pair.b(), Lane::bulk).size(), 60U);
}

TEST_F(Lanes, what_expires_in_one_is_skipped_there) {
    open(3, 3);
    pair.cut = true;
    ASSERT_TRUE(pair.a().publish(pair.now, "late", {.lifetime = milliseconds{50}, .lane = Lane::bulk}));
    pair.run_for(milliseconds{100});
    pair.cut = false;
    ASSERT_TRUE(pair.a().publish(pair.now, "next", {.lane = Lane::bulk}));
    pair.run_for(seconds{2});
    EXPECT_EQ(payloads(pair.b()), std::vector<std::string>{"next"});
    const std::vector<OutcomeReport> ends = pair.a().outcomes();
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_EQ(ends[0].outcome, Outcome::expired);
}

// Bulk leaves two packets of the first ten to the lanes above it, and so has used the window to the full: it grows.
TEST_F(Lanes, bulk_that_is_alone_lets_the_window_grow) {
    pair.faults = {.delay_min = milliseconds{5}, .delay_max = milliseconds{5}};
    open(3, 3);
    for (int i = 0; i < 64; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::string(640, 'b'), {.lane = Lane::bulk}));
    std::size_t at_once = 0;  // messages, a packet each
    pair.run_until([&] {
        at_once = std::max<std::size_t>(at_once, pair.a().link->sender(Lane::bulk).unsettled());
        return pair.b().delivered.size() == 64;
    });
    EXPECT_GT(at_once, 8U);
}

TEST_F(Lanes, bulk_is_not_starved_by_urgent_messages_that_never_end) {
    pair.faults = {.delay_min = milliseconds{1}, .delay_max = milliseconds{1}};
    open(3, 3);
    const auto fill_urgent = [&] {
        while (pair.a().publish(pair.now, std::string(1000, 'u'), {.lane = Lane::urgent})) {}
    };
    ASSERT_TRUE(pair.a().publish(pair.now, "b", {.lane = Lane::bulk}));
    fill_urgent();  // before the first packet leaves
    pair.run_until([&] {
        (void)pair.a().outcomes();
        fill_urgent();
        return !in_lane(pair.b(), Lane::bulk).empty() || pair.b().delivered.size() > 500;
    });
    EXPECT_EQ(in_lane(pair.b(), Lane::bulk).size(), 1U);
    EXPECT_LE(pair.b().delivered.size(), 40U);
}

TEST_F(Lanes, a_peer_with_fewer_gets_everything_in_those_that_it_has) {
    for (const std::size_t theirs : {1U, 2U}) {
        open(3, theirs);
        for (int i = 1; i <= 9; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i), {.lane = static_cast<Lane>(i % 3)}));
        ASSERT_TRUE(pair.b().publish(pair.now, "back", {.lane = Lane::bulk}));
        pair.run_for(seconds{1});
        EXPECT_EQ(pair.b().delivered.size(), 9U);
        EXPECT_EQ(in_lane(pair.b(), Lane::urgent).size(), theirs == 1 ? 0U : 3U);
        if (theirs == 1) { EXPECT_EQ(payloads(pair.b()), numbers(1, 9)); }
        EXPECT_EQ(in_lane(pair.a(), Lane::normal), std::vector<std::string>{"back"});
        EXPECT_EQ(pair.a().outcomes().size(), 9U);
    }
}

TEST_F(Lanes, what_went_by_the_normal_lane_before_the_peer_was_known_comes_before_what_follows_in_its_own) {
    pair.lanes = {3, 3};
    pair.reset(0, LinkSelf{});
    pair.reset(1, LinkSelf{});
    pair.a().link->set_peer(NodeId{2});
    std::optional<InboundMessage> first;
    pair.b().handler = [&](const InboundMessage& message) {
        if (first) return Disposition::accepted;
        first = message;
        return Disposition::pending;
    };
    for (int i = 1; i <= 2; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i), {.lane = Lane::bulk}));
    pair.open();
    for (int i = 3; i <= 4; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i), {.lane = Lane::bulk}));
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 1));
    ASSERT_EQ(pair.b().link->receiver().complete(pair.now, first->sequence, first->stream_tag, Disposition::accepted), Status::ok);
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 4));
    EXPECT_EQ(in_lane(pair.b(), Lane::bulk), numbers(3, 4));
}

TEST_F(Lanes, what_a_journal_recovered_in_one_waits_for_no_other_that_is_empty_however_far_its_numbers_are) {
    pair.lanes = {3, 3};
    LinkSelf self;
    self.stream = StreamId{11};
    self.journalled = true;
    pair.reset(0, self);
    pair.reset(1, LinkSelf{});
    Endpoint& a = pair.a();
    const auto message = a.outbox.put({.id = PublishId{1}, .topic = a.intern("t"), .payload = std::as_bytes(std::span("bulk", 4))});
    const auto delivery = a.outbox.add_delivery(message.value(), PeerIndex{0}, NodeId{2}, SubscriptionId{1});
    ASSERT_EQ(a.link->restore(pair.now, delivery.value(), Lane::bulk, Sequence{100}), Status::ok);
    ASSERT_EQ(a.link->sender().restore_next(Sequence{0xffff'ff80U}), Status::ok);
    pair.open();
    pair.run_for(seconds{1});
    EXPECT_EQ(a.outcomes().size(), 1U);
}

TEST_F(Lanes, what_is_owed_in_a_lane_that_a_new_process_has_not_ends_as_dead_letters_and_the_next_goes_on) {
    open(3, 3);
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    ASSERT_TRUE(pair.a().publish(pair.now, "seen", {.subscription = kDurable, .lane = Lane::bulk}));
    pair.run_for(milliseconds{100});
    pair.cut = true;
    ASSERT_TRUE(pair.a().publish(pair.now, "unseen", {.subscription = kDurable, .lane = Lane::bulk}));
    pair.run_for(milliseconds{100});
    pair.cut = false;
    pair.lanes[1] = 1;
    pair.reset(1, LinkSelf{.epoch = BootEpoch{2}});
    pair.run_until([&] { return pair.b().link->session_open(); });
    ASSERT_TRUE(pair.a().publish(pair.now, "later", {.subscription = kDurable, .lane = Lane::bulk}));
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), std::vector<std::string>{"later"});
    const std::vector<OutcomeReport> ends = pair.a().outcomes();
    ASSERT_EQ(ends.size(), 3U);
    EXPECT_EQ(ends[0].outcome, Outcome::peer_removed);
    EXPECT_EQ(ends[0].effect, Effect::unknown);
    EXPECT_EQ(ends[1].outcome, Outcome::peer_removed);
    EXPECT_EQ(ends[2].outcome, Outcome::acknowledged);
}

}  // namespace
}  // namespace dunlin::link
