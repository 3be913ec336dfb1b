#include <link/link_pair.hpp>

#include <gtest/gtest.h>

#include <algorithm>

// Flow control between two nodes (link/credit.hpp).
namespace dunlin::link {
namespace {

// Node b has room for twenty messages that wait, of which one peer may have thirteen.
constexpr Limits kFew = [] {
    Limits limits = kTestLimits;
    limits.inbox_messages = 21;
    return limits;
}();
constexpr std::size_t kCredit = 13;
using FewPair = LinkPairOf<kFew>;

std::size_t acknowledged(FewPair& pair) {
    const auto all = pair.a().outcomes();
    return static_cast<std::size_t>(std::ranges::count(all, Outcome::acknowledged, &OutcomeReport::outcome));
}

void publish(FewPair& pair, int messages, const EndpointOf<kFew>::Publish& how = {}) {
    for (int i = 1; i <= messages; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i), how));
}

TEST(CreditStory, a_slow_subscriber_is_sent_what_it_has_room_for_and_the_rest_as_it_makes_some) {
    FewPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    for (std::uint32_t i = 1; i <= 100; ++i) ASSERT_TRUE(pair.a().publish(pair.now, "x", {.subscription = SubscriptionId{i}}));
    pair.run_for(milliseconds{50});
    EXPECT_EQ(pair.a().link->sender().unsettled(), kCredit);
    EXPECT_EQ(pair.b().delivered.size(), kCredit);
    // One is done with each millisecond: never more than the credit, nothing refused, and nothing sent twice.
    for (std::size_t done = 0; done < 100; ++done) {
        ASSERT_LT(done, pair.b().delivered.size());
        const Delivered& next = pair.b().delivered[done];
        EXPECT_EQ(pair.b().link->receiver().complete(pair.now, Sequence{next.sequence}, next.stream_tag, Disposition::accepted),
                  Status::ok);
        pair.run_for(milliseconds{1});
        EXPECT_LE(pair.a().link->sender().unsettled(), kCredit);
        EXPECT_LE(pair.b().inbox.used(), kCredit);
    }
    EXPECT_EQ(acknowledged(pair), 100U);
    EXPECT_EQ(pair.b().counters.get(Counter::inbox_full_drops), 0U);
    EXPECT_EQ(pair.a().counters.get(Counter::messages_resent), 0U);
    EXPECT_GT(pair.a().counters.get(Counter::credit_waits), 0U);
}

TEST(CreditStory, bytes_count_as_well_as_messages) {
    FewPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    const std::string kilobyte(1000, 'x');
    const Credit credit = pair.b().inbox.credit({});
    for (std::uint32_t i = 1; i <= 20; ++i) ASSERT_TRUE(pair.a().publish(pair.now, kilobyte, {.subscription = SubscriptionId{i}}));
    pair.run_for(milliseconds{50});
    EXPECT_EQ(pair.a().link->sender().unsettled(), credit.units / Credit::units_of(kilobyte.size()) + 1);  // of which the last needs more
    EXPECT_LT(pair.a().link->sender().unsettled(), kCredit);
    EXPECT_EQ(pair.b().counters.get(Counter::inbox_full_drops), 0U);
}

TEST(CreditStory, under_loss_as_well) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        FewPair pair(seed, {.loss_percent = 20, .duplicate_percent = 5, .delay_min = microseconds{100}, .delay_max = milliseconds{5}});
        int slow = 0;
        pair.b().handler = [&](const InboundMessage&) { return ++slow % 3 == 0 ? Disposition::retry_later : Disposition::accepted; };
        pair.open();
        publish(pair, 300);
        std::size_t most = 0;
        pair.run_until([&] {
            most = std::max<std::size_t>(most, pair.b().inbox.used());
            return pair.a().outbox.ended() == 300;
        });
        EXPECT_EQ(acknowledged(pair), 300U);
        EXPECT_LE(most, kCredit + 3);  // and what goes now and then without
        EXPECT_LT(pair.b().counters.get(Counter::inbox_full_drops), 80U);
    }
}

// What handlers of b have of other publishers, for which this test has no nodes: all but the reserve.
class Busy {
  public:
    explicit Busy(Inbox& inbox) : inbox_(inbox) {
        while (inbox.may_wait(64, {})) slots_.push_back(inbox.put(std::vector<std::byte>(64), share_));
    }
    // One of them is of this subscription, whose handler has it.
    void has(SubscriptionId subscription) {
        inbox_[slots_.front()].subscription = subscription;
        inbox_[slots_.front()].state = WaitState::pending;
    }
    void done() {
        for (const std::uint16_t slot : slots_) inbox_.release(slot, share_);
    }

  private:
    Inbox& inbox_;
    InboxShare share_;
    std::vector<std::uint16_t> slots_;
};

TEST(CreditStory, the_oldest_message_of_a_lane_needs_none) {
    FewPair pair;
    pair.open();
    const Busy busy(pair.b().inbox);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::string(200, 'x')));
    pair.run_for(seconds{10});
    EXPECT_EQ(acknowledged(pair), 50U) << "each of more than the one unit that b allows";
}

// There is room for it at last, and nothing that would be told: credit is what it was.
TEST(CreditStory, the_oldest_message_is_tried_again_by_itself) {
    FewPair pair;
    Busy busy(pair.b().inbox);
    busy.has(kVolatile);
    pair.open();
    pair.run_for(milliseconds{100});
    publish(pair, 1);
    pair.run_for(seconds{5});
    EXPECT_EQ(pair.b().delivered.size(), 0U) << "its subscription's handler has another one";
    EXPECT_GT(pair.b().counters.get(Counter::inbox_full_drops), 3U);
    EXPECT_LT(pair.b().counters.get(Counter::inbox_full_drops), 40U);
    busy.has(SubscriptionId{});
    pair.run_for(seconds{2});
    EXPECT_EQ(acknowledged(pair), 1U);
}

TEST(CreditStory, a_peer_hears_when_others_have_left_it_room) {
    for (const std::uint32_t loss : {0U, 50U}) {
        SCOPED_TRACE(loss);
        FewPair pair(3, {.loss_percent = loss});
        pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
        Busy busy(pair.b().inbox);
        pair.open();
        for (std::uint32_t i = 1; i <= 50; ++i) ASSERT_TRUE(pair.a().publish(pair.now, "x", {.subscription = SubscriptionId{i}}));
        pair.run_for(seconds{2});
        EXPECT_LE(pair.b().delivered.size(), 2U);
        busy.done();
        pair.run_for(seconds{5});
        EXPECT_GE(pair.a().link->sender().unsettled(), kCredit) << "though b has settled nothing";
        EXPECT_GT(pair.b().counters.get(Counter::credit_updates), 0U);
    }
}

TEST(CreditStory, what_is_refused_waits_for_the_credit_that_there_is) {
    FewPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    pair.run_for(milliseconds{100});  // told of all that there is
    Busy busy(pair.b().inbox);
    for (std::uint32_t i = 1; i <= 50; ++i)
        ASSERT_TRUE(pair.a().publish(pair.now, std::string(500, 'x'), {.subscription = SubscriptionId{i}}));
    pair.run_for(seconds{10});
    // The first packets are refused; then one message tries, half a second apart and more.
    const std::uint32_t refused = pair.b().counters.get(Counter::inbox_full_drops);
    EXPECT_LE(refused, 120U);
    pair.run_for(seconds{10});
    EXPECT_LE(pair.b().counters.get(Counter::inbox_full_drops), refused + 100);
    busy.done();
    pair.run_for(seconds{2});
    EXPECT_GE(pair.a().link->sender().unsettled(), kCredit);
}

TEST(CreditStory, a_new_session_begins_with_what_its_hello_says) {
    FewPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    for (std::uint32_t i = 1; i <= 60; ++i) ASSERT_TRUE(pair.a().publish(pair.now, "x", {.subscription = durable_subscription(i)}));
    pair.run_for(milliseconds{50});
    EXPECT_EQ(pair.a().link->sender().unsettled(), kCredit);
    // Another process at the other end: what was under way is so no more. Not more than the credit comes, from its first packet on.
    pair.reset(1, {.epoch = BootEpoch{2}});
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.run_until([&] { return !pair.b().delivered.empty(); });
    pair.run_for(milliseconds{50});
    EXPECT_EQ(pair.b().delivered.size(), kCredit);
    EXPECT_EQ(pair.b().counters.get(Counter::inbox_full_drops), 0U);
}

TEST(CreditStory, of_messages_that_expire_or_whose_subscriber_goes_comes_back) {
    FewPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::held; };
    pair.open();
    publish(pair, 20, {.lifetime = seconds{1}});
    publish(pair, 20, {.subscription = kOther});
    pair.run_for(milliseconds{50});
    EXPECT_EQ(pair.a().link->sender().unsettled(), kCredit);
    pair.run_for(seconds{5});
    pair.a().link->subscription_gone(kOther);
    pair.run_for(seconds{1});
    pair.b().handler = nullptr;
    pair.b().link->release_held(pair.now);
    publish(pair, 200);
    pair.run_for(seconds{5});
    EXPECT_EQ(pair.a().link->sender().unsettled(), 0U);
    pair.b().handler = [](const InboundMessage&) { return Disposition::held; };
    publish(pair, 20);
    pair.run_for(milliseconds{10});
    EXPECT_EQ(pair.a().link->sender().unsettled(), kCredit) << "all of it, at once";
}

// A handler that has all that credit allows does not stop another subscription for good: now and then one message goes without.
TEST(CreditStory, a_subscription_that_settles_nothing_does_not_stop_another_one) {
    FewPair pair;
    pair.b().handler = [](const InboundMessage& message) {
        return message.subscription == kVolatile ? Disposition::pending : Disposition::accepted;
    };
    pair.open();
    publish(pair, static_cast<int>(kCredit));
    publish(pair, 5, {.subscription = kOther});
    pair.run_for(seconds{3});
    EXPECT_EQ(acknowledged(pair), 5U);
}

// The path gets slower than its timers expect, so each try seems to be lost, and is not: the next one comes no sooner for that (seed 109).
TEST(CreditStory, what_goes_without_it_follows_no_closer_where_acks_are_late) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        FewPair pair(seed);
        pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
        pair.open();
        for (std::uint32_t i = 1; i <= 20; ++i) ASSERT_TRUE(pair.a().publish(pair.now, "x", {.subscription = SubscriptionId{i}}));
        pair.run_for(milliseconds{20});
        ASSERT_EQ(pair.b().delivered.size(), kCredit);
        pair.faults.delay_max = milliseconds{20};
        pair.run_for(milliseconds{320});
        EXPECT_LE(pair.b().delivered.size(), kCredit + 3);
        pair.run_for(seconds{3});
        EXPECT_EQ(pair.b().delivered.size(), 20U);
    }
}

TEST(CreditStory, a_message_of_more_bytes_than_there_is_credit_for_passes_one_that_is_pending) {
    FewPair pair;
    pair.b().handler = [](const InboundMessage& message) {
        return message.subscription == kVolatile ? Disposition::pending : Disposition::accepted;
    };
    pair.open();
    publish(pair, 1);
    InboxShare other;
    while (pair.b().inbox.credit({}).units > 12) static_cast<void>(pair.b().inbox.put(std::vector<std::byte>(1000), other));
    pair.run_for(milliseconds{100});
    ASSERT_TRUE(pair.a().publish(pair.now, std::string(900, 'x'), {.subscription = kOther}));
    pair.run_for(seconds{3});
    EXPECT_EQ(acknowledged(pair), 1U);
}

// More messages would follow those of a packet that is well filled, but the publisher may send no more before it hears.
TEST(CreditStory, a_settlement_does_not_wait_for_more_than_there_is_credit_for) {
    LinkPairOf<Limits{}> pair;
    pair.open();
    pair.run_for(milliseconds{100});
    ASSERT_LT(pair.b().inbox.credit({}).units * Credit::kUnitBytes, 1200U);
    ASSERT_TRUE(pair.a().publish(pair.now, std::string(700, 'x')));
    pair.run_for(milliseconds{1});
    EXPECT_EQ(pair.a().outcomes().size(), 1U);
}

// Handlers have all the room, and messages between theirs expire: what is to be skipped takes room as well, and the publisher counts
// none of that. Nothing is sent again and again for it.
template <Limits L>
std::size_t packets_at_a_stand() {
    LinkPairOf<L> pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    for (int i = 0; i < 300; ++i) static_cast<void>(pair.a().publish(pair.now, "x", {.lifetime = milliseconds{i % 2 * 500}}));
    pair.run_for(seconds{10});
    const std::size_t before = pair.packet_count;
    pair.run_for(seconds{10});
    return pair.packet_count - before;
}

TEST(CreditStory, what_finds_no_room_is_sent_again_with_backoff) {
    EXPECT_LE(packets_at_a_stand<kFew>(), 500U);
    EXPECT_LE(packets_at_a_stand<kTestLimits>(), 500U);
}

// The smallest inbox there is, three lanes, and handlers that take nothing for two seconds, in which some messages expire.
TEST(CreditStory, skips_do_not_take_the_room_of_what_comes_before_them) {
    constexpr Limits kOne = [] {
        Limits limits = kTestLimits;
        limits.inbox_messages = 1;
        return limits;
    }();
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        LinkPairOf<kOne> pair(seed, {.delay_min = milliseconds{1}, .delay_max = milliseconds{9}});
        pair.lanes = {3, 3};
        pair.reset(0, {});
        pair.reset(1, {});
        bool takes = false;
        pair.b().handler = [&](const InboundMessage&) { return takes ? Disposition::accepted : Disposition::held; };
        pair.open();
        std::size_t published = 0;
        for (int i = 0; i < 60; ++i) {
            for (const Lane lane : kLanesByPriority) {
                const std::string text(i % 4 == 1 ? 900U : 20U, 'x');
                const Duration lifetime = milliseconds{i % 4 == 2 ? 300 : 0};
                published += pair.a().publish(pair.now, text, {.lifetime = lifetime, .lane = lane}).has_value() ? 1U : 0U;
            }
        }
        pair.run_for(seconds{2});
        takes = true;
        pair.b().link->release_held(pair.now);
        pair.run_for(seconds{60});
        EXPECT_EQ(pair.a().outcomes().size(), published);
    }
}

}  // namespace
}  // namespace dunlin::link
