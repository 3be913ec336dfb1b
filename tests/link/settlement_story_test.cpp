#include <link/link_pair.hpp>

#include <algorithm>

namespace dunlin::link {
namespace {

std::map<std::string, int> count_outcomes(Endpoint& end) {
    std::map<std::string, int> counts;
    for (const OutcomeReport& report : end.outcomes()) {
        ++counts[std::string(to_string(report.outcome)) + (report.effect == Effect::unknown ? "/unknown" : "/none")];
    }
    return counts;
}
using Counts = std::map<std::string, int>;

// A handler that answers by payload: r = reject, f = fenced, g = gone, p = pending, l = later (twice), h = held.
Disposition by_letter(const InboundMessage& message, std::map<std::uint64_t, int>& seen) {
    const int times = ++seen[message.sequence.value()];
    switch (static_cast<char>(message.payload[0])) {
        case 'r': return Disposition::rejected;
        case 'f': return Disposition::fenced;
        case 'g': return Disposition::subscriber_gone;
        case 'p': return Disposition::pending;
        case 'h': return times == 1 ? Disposition::held : Disposition::accepted;
        case 'l': return times < 3 ? Disposition::retry_later : Disposition::accepted;
        default: return Disposition::accepted;
    }
}

TEST(SettlementStory, each_disposition_is_told_to_the_publisher_under_loss) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        LinkPair pair(seed, {.loss_percent = 30, .duplicate_percent = 10, .delay_max = milliseconds{3}});
        std::map<std::uint64_t, int> seen;
        pair.b().handler = [&](const InboundMessage& message) { return by_letter(message, seen); };
        pair.open();
        const std::string letters = "aafgralrfgaarlgfarrrrrrrrrrrrrrrrrrrrrrra";
        for (const char letter : letters) ASSERT_TRUE(pair.a().publish(pair.now, std::string(1, letter)));
        pair.run_for(seconds{120});
        const auto times = [&](const char* which) {
            return static_cast<int>(std::count_if(letters.begin(), letters.end(),
                                                  [=](char c) { return std::string_view(which).find(c) != std::string_view::npos; }));
        };
        EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", times("al")},
                                                    {"rejected/unknown", times("r")},
                                                    {"fenced/none", times("f")},
                                                    {"subscriber_gone/none", times("g")}}));
        EXPECT_EQ(pair.b().inbox.used(), 0U);
    }
}

// From publish to the outcomes of all, `bytes` each.
Duration time_to_settle(LinkPair& pair, int messages, std::size_t bytes) {
    const Instant began = pair.now;
    for (int i = 0; i < messages; ++i) EXPECT_TRUE(pair.a().publish(pair.now, std::string(bytes, 'a')));
    std::size_t settled = 0;
    pair.run_until([&] {
        settled += pair.a().outcomes().size();
        return settled == static_cast<std::size_t>(messages);
    });
    return pair.now - began;
}

TEST(SettlementStory, a_publisher_that_has_no_more_to_say_hears_at_once_and_others_within_two_milliseconds) {
    LinkPair pair;
    pair.open();
    pair.run_for(seconds{1});
    const Duration round_trip = pair.faults.delay_max * 2;
    EXPECT_LE(time_to_settle(pair, 1, 64), round_trip + microseconds{2});
    EXPECT_LE(time_to_settle(pair, 40, 64), round_trip + microseconds{2});  // whole packets, and a last one with the rest
    EXPECT_GE(time_to_settle(pair, 1, 900), round_trip + milliseconds{2});
}

TEST(SettlementStory, pending_holds_back_its_own_subscription_alone) {
    LinkPair pair;
    std::map<std::uint64_t, int> seen;
    pair.b().handler = [&](const InboundMessage& message) { return by_letter(message, seen); };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "p1"));
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    ASSERT_TRUE(pair.a().publish(pair.now, "3", {.subscription = kOther}));
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"p1", "3"}));
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 1}}));
    const Delivered first = pair.b().delivered[0];
    EXPECT_EQ(pair.b().link->receiver().complete(pair.now, Sequence{first.sequence}, static_cast<std::uint16_t>(first.stream_tag + 1),
                                                 Disposition::accepted),
              Status::not_found);
    EXPECT_EQ(pair.b().link->receiver().complete(pair.now, Sequence{first.sequence}, first.stream_tag, Disposition::held),
              Status::invalid_argument);
    EXPECT_EQ(pair.b().link->receiver().complete(pair.now, Sequence{first.sequence}, first.stream_tag, Disposition::rejected), Status::ok);
    EXPECT_EQ(pair.b().link->receiver().complete(pair.now, Sequence{first.sequence}, first.stream_tag, Disposition::rejected),
              Status::not_found);
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"p1", "3", "2"}));
    pair.run_for(seconds{1});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 1}, {"rejected/unknown", 1}}));
}

TEST(SettlementStory, retry_later_comes_back_after_a_pause_in_order_and_holds_back_its_own_subscription_alone) {
    LinkPair pair;
    std::map<std::uint64_t, int> seen;
    pair.b().handler = [&](const InboundMessage& message) { return by_letter(message, seen); };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "l1"));
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    ASSERT_TRUE(pair.a().publish(pair.now, "3", {.subscription = kOther}));
    pair.run_for(seconds{5});
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"l1", "3", "l1", "l1", "2"}));
    EXPECT_EQ(pair.b().counters.get(Counter::messages_delivered), 3U);
    EXPECT_EQ(pair.b().counters.get(Counter::messages_delivered_again), 2U);
}

TEST(SettlementStory, what_a_handler_had_once_may_have_had_an_effect_whatever_becomes_of_it) {
    LinkPair pair;
    std::map<std::uint64_t, int> seen;
    pair.b().handler = [&](const InboundMessage& message) {
        if (++seen[message.sequence.value()] == 1) return Disposition::retry_later;
        return message.subscription == kOther ? Disposition::fenced : Disposition::subscriber_gone;
    };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1"));
    ASSERT_TRUE(pair.a().publish(pair.now, "2", {.subscription = kOther}));
    pair.run_for(seconds{3});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"fenced/unknown", 1}, {"subscriber_gone/unknown", 1}}));
}

TEST(SettlementStory, held_waits_until_it_is_released) {
    LinkPair pair;
    std::map<std::uint64_t, int> seen;
    pair.b().handler = [&](const InboundMessage& message) { return by_letter(message, seen); };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "h1"));
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    pair.run_for(seconds{5});
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"h1"}));
    EXPECT_EQ(pair.b().counters.get(Counter::messages_delivered), 0U);  // no handler has it
    pair.b().link->receiver().release_held(pair.now);
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"h1", "h1", "2"}));
    EXPECT_EQ(pair.b().counters.get(Counter::messages_delivered), 2U);
    pair.run_for(seconds{1});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 2}}));
}

TEST(SettlementStory, a_handler_may_complete_another_message) {
    LinkPair pair;
    std::optional<InboundMessage> waiting;
    pair.b().handler = [&](const InboundMessage& message) {
        if (message.subscription == kVolatile && !waiting) {
            waiting = message;
            return Disposition::pending;
        }
        if (message.subscription == kOther) {
            EXPECT_EQ(pair.b().link->receiver().complete(pair.now, waiting->sequence, waiting->stream_tag, Disposition::accepted),
                      Status::ok);
        }
        return Disposition::accepted;
    };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1"));
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    ASSERT_TRUE(pair.a().publish(pair.now, "3", {.subscription = kOther}));
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"1", "3", "2"}));
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 3}}));
}

TEST(SettlementStory, no_more_than_the_window_is_handed_over_unsettled) {
    LinkPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    for (std::uint32_t i = 0; i < 90; ++i)
        ASSERT_TRUE(pair.a().publish(pair.now, "p", {.topic = "t", .subscription = SubscriptionId{1 + i % 90}}));
    pair.run_for(seconds{10});
    EXPECT_EQ(pair.b().delivered.size(), 64U);
    const auto delivered = pair.b().delivered;
    // All but the first: settled past a gap, the window does not move.
    for (std::size_t i = delivered.size(); i-- > 1;) {
        EXPECT_EQ(
            pair.b().link->receiver().complete(pair.now, Sequence{delivered[i].sequence}, delivered[i].stream_tag, Disposition::accepted),
            Status::ok);
    }
    pair.run_for(seconds{2});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 63}}));
    EXPECT_EQ(pair.b().delivered.size(), 64U);
    EXPECT_EQ(pair.b().link->receiver().complete(pair.now, Sequence{delivered[0].sequence}, delivered[0].stream_tag, Disposition::accepted),
              Status::ok);
    pair.run_for(seconds{5});
    EXPECT_EQ(pair.b().delivered.size(), 90U);
}

TEST(SettlementStory, a_full_window_says_busy_and_goes_on_when_outcomes_come) {
    LinkPair pair;
    for (std::size_t i = 0; i < kTestLimits.deliveries; ++i) ASSERT_TRUE(pair.a().publish(pair.now, "x"));
    EXPECT_FALSE(pair.a().publish(pair.now, "x"));
    pair.open();
    pair.run_for(seconds{1});
    EXPECT_EQ(pair.a().outcomes().size(), std::size_t{kTestLimits.deliveries});
    EXPECT_TRUE(pair.a().publish(pair.now, "x"));
}

TEST(SettlementStory, a_subscriber_that_takes_nothing_is_sent_no_more_than_it_can_keep_and_nothing_is_lost) {
    LinkPair pair(4, {.loss_percent = 15, .delay_max = milliseconds{4}});
    bool stall = true;
    pair.b().handler = [&](const InboundMessage&) { return stall ? Disposition::held : Disposition::accepted; };
    pair.open();
    for (int i = 1; i <= 60; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i) + std::string(900, ' ')));
    pair.run_for(seconds{20});
    EXPECT_LT(pair.b().counters.get(Counter::inbox_full_drops), 120U);  // a few tries a second
    EXPECT_GT(pair.a().counters.get(Counter::credit_waits), 0U);
    EXPECT_EQ(pair.b().delivered.size(), 1U);
    stall = false;
    pair.b().link->receiver().release_held(pair.now);
    pair.run_for(seconds{30});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 60}}));
    EXPECT_EQ(pair.b().delivered.size(), 61U);
}

TEST(SettlementStory, a_full_topic_table_is_no_loss) {
    LinkPair pair;
    pair.b().topics_max = 1;
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1", {.topic = "one"}));
    ASSERT_TRUE(pair.a().publish(pair.now, "2", {.topic = "two"}));
    pair.run_for(seconds{2});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 1));
    pair.b().topics_max = 2;
    pair.run_for(seconds{3});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 2));
}

TEST(SettlementStory, a_fenced_message_carries_lease_and_token) {
    LinkPair pair;
    LeaseKey lease{};
    pair.b().handler = [&](const InboundMessage& message) {
        lease = message.blocks.lease;
        return Disposition::accepted;
    };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "under a lease", {.token = Token{77}}));
    pair.run_for(seconds{1});
    ASSERT_EQ(pair.b().delivered.size(), 1U);
    EXPECT_EQ(pair.b().delivered[0].payload, "under a lease");
    EXPECT_EQ(pair.b().delivered[0].token, Token{77});
    EXPECT_EQ(lease, LeaseKey{5});
}

TEST(SettlementStory, nothing_leaves_before_its_record_is_durable) {
    LinkPair pair;
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1", {.gate = JournalSequence{4}}));
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    pair.run_for(seconds{1});
    EXPECT_TRUE(pair.b().delivered.empty());
    pair.a().self.durable = JournalSequence{4};
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 2));
}

// ---- giving up ------------------------------------------------------------------------------------------------------

TEST(DeadLetters, are_acknowledged_only_once_a_crash_would_remember_them) {
    LinkPair pair;
    pair.a().outbox.keep(0);
    pair.b().handler = [](const InboundMessage&) { return Disposition::rejected; };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "x"));
    pair.run_for(seconds{1});
    ASSERT_EQ(pair.a().outbox.ended(), 1U);
    EXPECT_TRUE(pair.a().outcomes().empty());
    const auto told = [&] { return pair.b().counters.get(Counter::settlements_sent); };
    EXPECT_GT(told(), 1U) << "it is told again and again";
    pair.a().outbox.keep(1);
    pair.run_for(seconds{1});
    const std::uint32_t enough = told();
    pair.run_for(seconds{5});
    EXPECT_EQ(told(), enough);
    EXPECT_EQ(pair.a().outcomes().size(), 1U);
}

TEST(DeadLetters, are_skipped_only_once_a_crash_would_remember_them) {
    LinkPair pair;
    pair.a().outbox.keep(0);
    pair.open();
    const Sequence before = pair.b().link->receiver().contiguous();
    ASSERT_TRUE(pair.a().publish(pair.now, "x", {.lifetime = milliseconds{5}, .gate = JournalSequence{9}}));
    pair.run_for(seconds{1});  // heartbeats leave, and could carry it
    ASSERT_EQ(pair.a().outbox.ended(), 1U);
    EXPECT_EQ(pair.b().link->receiver().contiguous(), before);
    pair.a().outbox.keep(1);
    pair.run_for(milliseconds{100});
    EXPECT_EQ(pair.b().link->receiver().contiguous(), before.next());
}

TEST(DeadLetters, are_passed_by_a_hello_only_once_a_crash_would_remember_them) {
    LinkPair pair;
    pair.a().outbox.keep(0);
    ASSERT_TRUE(pair.a().publish(pair.now, "x", {.lifetime = milliseconds{5}}));
    pair.run_for(milliseconds{100});
    ASSERT_EQ(pair.a().outbox.ended(), 1U);
    pair.dial();
    pair.run_for(seconds{1});
    EXPECT_FALSE(pair.a().link->session_open());
    pair.a().outbox.keep(1);
    pair.run_for(seconds{1});
    EXPECT_TRUE(pair.a().link->session_open());
}

TEST(Expiry, what_was_never_sent_ends_at_once_and_does_not_stall_the_lane) {
    LinkPair pair;
    for (int i = 1; i <= 3; ++i)
        ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i), {.lifetime = i == 2 ? Duration{0} : milliseconds{100}}));
    pair.run_for(milliseconds{150});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"expired/none", 2}}));
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "4"));
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"2", "4"}));
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 2}}));
    EXPECT_EQ(pair.a().link->sender().first(), pair.a().link->sender().next());
}

TEST(Expiry, a_message_given_up_while_the_handler_has_it_ends_as_the_handler_says) {
    LinkPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "p", {.lifetime = milliseconds{50}}));
    pair.run_for(seconds{1});
    EXPECT_TRUE(count_outcomes(pair.a()).empty());
    const Delivered only = pair.b().delivered[0];
    EXPECT_EQ(pair.b().link->receiver().complete(pair.now, Sequence{only.sequence}, only.stream_tag, Disposition::accepted), Status::ok);
    pair.run_for(seconds{1});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 1}}));
}

TEST(Expiry, a_message_given_up_between_two_attempts_may_have_had_an_effect) {
    LinkPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::retry_later; };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "l", {.lifetime = milliseconds{500}}));
    pair.run_for(seconds{3});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"expired/unknown", 1}}));
    EXPECT_EQ(pair.b().inbox.used(), 0U);
}

TEST(Expiry, a_message_held_back_past_its_lifetime_is_never_handed_over) {
    LinkPair pair;
    pair.b().handler = [&](const InboundMessage& message) {
        return message.payload[0] == std::byte{'h'} ? Disposition::held : Disposition::accepted;
    };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "h"));
    ASSERT_TRUE(pair.a().publish(pair.now, "2", {.lifetime = milliseconds{50}}));
    pair.run_for(seconds{1});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"expired/none", 1}}));
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"h"}));
}

TEST(Expiry, without_a_session_the_effect_of_what_was_sent_stays_unknown) {
    LinkPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "p", {.lifetime = seconds{4}}));
    pair.run_for(milliseconds{100});
    pair.cut = true;
    pair.run_for(milliseconds{5500});
    EXPECT_TRUE(count_outcomes(pair.a()).empty());
    pair.run_for(seconds{1});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"expired/unknown", 1}}));
    // The handler still has it; its word comes too late for an outcome, and the lane goes on.
    pair.cut = false;
    pair.b().handler = {};
    pair.run_for(seconds{5});
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    pair.run_for(seconds{2});
    const Delivered first = pair.b().delivered[0];
    EXPECT_EQ(pair.b().link->receiver().complete(pair.now, Sequence{first.sequence}, first.stream_tag, Disposition::rejected), Status::ok);
    pair.run_for(seconds{2});
    EXPECT_EQ(count_outcomes(pair.a()), (Counts{{"acknowledged/none", 1}}));
}

TEST(Expiry, both_sides_agree_on_each_message_at_any_loss) {
    for (const std::uint32_t loss : {5U, 20U, 40U}) {
        for (std::uint64_t seed = 1; seed <= 15; ++seed) {
            SCOPED_TRACE(testing::Message() << loss << " % seed " << seed);
            LinkPair pair(seed, {.loss_percent = loss, .duplicate_percent = 10, .delay_max = milliseconds{8}});
            pair.open();
            Random random(seed);
            std::map<std::uint64_t, std::string> published;
            for (int i = 1; i <= 150; ++i) {
                const auto delivery =
                    pair.a().publish(pair.now, std::to_string(i), {.lifetime = random.between(milliseconds{1}, milliseconds{60})});
                ASSERT_TRUE(delivery);
                published[pair.a().outbox.message(pair.a().outbox.delivery(*delivery).message).id.value()] = std::to_string(i);
                if (i % 10 == 0) pair.run_for(milliseconds{3});
            }
            pair.run_for(seconds{60});
            std::map<std::string, int> handled;
            for (const Delivered& message : pair.b().delivered) ++handled[message.payload];
            const auto outcomes = pair.a().outcomes();
            EXPECT_EQ(outcomes.size(), 150U);
            for (const OutcomeReport& report : outcomes) {
                const int times = handled[published.at(report.id.value())];
                if (report.outcome == Outcome::acknowledged) {
                    EXPECT_EQ(times, 1);
                } else {
                    EXPECT_EQ(report.outcome, Outcome::expired);
                    EXPECT_EQ(report.effect, Effect::none);
                    EXPECT_EQ(times, 0);
                }
            }
            EXPECT_EQ(pair.b().inbox.used(), 0U);
        }
    }
}

}  // namespace
}  // namespace dunlin::link
