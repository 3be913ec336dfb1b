#include <link/link_pair.hpp>

#include <deque>

namespace dunlin::link {
namespace {

LinkSelf journalled(std::uint32_t epoch, std::uint64_t stream) {
    LinkSelf self;
    self.epoch = BootEpoch{epoch};
    self.stream = StreamId{stream};
    self.journalled = true;
    return self;
}

// A journal of watermarks: what was appended, and how much of it is durable.
struct WatermarkLog {
    std::vector<std::vector<std::byte>> records;
    std::uint64_t durable = 0;

    bool append(Endpoint& end) {
        LaneReceiver& receiver = end.link->receiver();
        if (!receiver.watermark_dirty()) return false;
        std::vector<std::byte> record(LinkSizes<kTestLimits>::watermark_bytes);
        record.resize(receiver.encode_watermark(record));
        records.push_back(record);
        receiver.watermark_appended(JournalSequence{records.size()});
        return true;
    }
    void sync(Endpoint& end) {
        durable = records.size();
        end.self.durable = JournalSequence{durable};
        end.link->receiver().on_durable(end.self.durable);
    }
    // What a restart finds: a crash loses what was not synced.
    void replay(Endpoint& end) {
        records.resize(static_cast<std::size_t>(durable));
        if (records.empty()) return;
        EXPECT_EQ(watermark_publisher(records.back()), NodeId{1});
        EXPECT_TRUE(end.link->receiver().restore_watermark(records.back()));
        end.self.durable = JournalSequence{durable};
    }
};

TEST(Resume, a_lost_session_of_the_same_processes_loses_and_repeats_nothing) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        LinkPair pair(seed, {.loss_percent = 20, .delay_max = milliseconds{5}});
        Random random(seed);
        pair.b().handler = [&](const InboundMessage&) {
            const std::uint64_t draw = random.below(10);
            return draw == 0 ? Disposition::retry_later : Disposition::accepted;
        };
        pair.open();
        for (int i = 1; i <= 200; ++i) {
            ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i)));
            if (i % 20 == 0) pair.run_for(milliseconds{2});
            if (i % 70 == 0) {
                pair.cut = true;
                pair.run_for(seconds{4});
                EXPECT_FALSE(pair.a().link->session_open());
                pair.cut = false;
            }
        }
        pair.run_for(seconds{60});
        std::map<std::string, std::uint64_t> sequences;
        std::uint64_t last = 0;
        for (const Delivered& message : pair.b().delivered) {
            EXPECT_FALSE(message.maybe_repeated);
            EXPECT_GE(message.sequence, last);
            last = message.sequence;
            sequences[message.payload] = message.sequence;
        }
        EXPECT_EQ(sequences.size(), 200U);
        const auto outcomes = pair.a().outcomes();
        ASSERT_EQ(outcomes.size(), 200U);
        for (const OutcomeReport& report : outcomes) EXPECT_EQ(report.outcome, Outcome::acknowledged);
    }
}

TEST(Resume, an_accepted_message_whose_settlement_was_lost_is_not_handed_over_again) {
    LinkPair pair;
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1"));
    PathId path{};
    const auto packet = pair.a().send(pair.now, path);
    (void)pair.b().receive(pair.now, path, packet);
    pair.cut = true;
    pair.run_for(seconds{4});
    ASSERT_FALSE(pair.b().link->session_open());
    pair.cut = false;
    pair.run_for(seconds{5});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 1));
    EXPECT_EQ(pair.a().outcomes().size(), 1U);
}

TEST(Restart, a_new_process_of_the_subscriber_ends_what_was_owed_to_the_old_ones_volatile_subscriptions) {
    LinkPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "sent"));
    pair.run_for(milliseconds{100});
    pair.reset(1, journalled(2, 22));
    pair.cut = true;
    pair.run_for(seconds{4});
    ASSERT_TRUE(pair.a().publish(pair.now, "not sent"));
    pair.cut = false;
    pair.run_for(seconds{3});
    const auto outcomes = pair.a().outcomes();
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].outcome, Outcome::subscriber_gone);
    EXPECT_EQ(outcomes[0].effect, Effect::unknown);
    EXPECT_EQ(outcomes[1].outcome, Outcome::subscriber_gone);
    EXPECT_EQ(outcomes[1].effect, Effect::none);
    EXPECT_TRUE(outcomes[1].last);
    // The lane goes on past the holes.
    ASSERT_TRUE(pair.a().publish(pair.now, "new"));
    WatermarkLog log;
    pair.run_for(seconds{1});
    EXPECT_TRUE(log.append(pair.b()));
    log.sync(pair.b());
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), std::vector<std::string>{"new"});
    EXPECT_EQ(pair.a().outcomes().size(), 1U);
    EXPECT_EQ(pair.a().link->sender().first(), pair.a().link->sender().next());
}

TEST(Restart, what_is_owed_to_a_durable_subscription_is_sent_again_and_marked) {
    LinkPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1", {.subscription = kDurable}));
    ASSERT_TRUE(pair.a().publish(pair.now, "2", {.subscription = SubscriptionId{kDurable.value() + 1}}));
    pair.run_for(milliseconds{100});
    LinkSelf second;
    second.epoch = BootEpoch{2};
    pair.reset(1, second);
    pair.cut = true;
    pair.run_for(seconds{4});
    ASSERT_TRUE(pair.a().publish(pair.now, "3", {.subscription = kDurable}));
    pair.cut = false;
    pair.run_for(seconds{3});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 3));
    EXPECT_TRUE(pair.b().delivered[0].maybe_repeated);
    EXPECT_TRUE(pair.b().delivered[1].maybe_repeated);
    EXPECT_FALSE(pair.b().delivered[2].maybe_repeated);
    EXPECT_EQ(pair.a().outcomes().size(), 3U);
}

TEST(Restart, what_an_earlier_process_may_have_handled_may_have_had_an_effect) {
    LinkPair pair;
    pair.b().handler = [](const InboundMessage&) { return Disposition::pending; };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1", {.subscription = kDurable, .lifetime = seconds{6}}));
    ASSERT_TRUE(pair.a().publish(pair.now, "2", {.subscription = durable_subscription(8)}));
    pair.run_for(milliseconds{100});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 2));
    LinkSelf second;
    second.epoch = BootEpoch{2};
    pair.reset(1, second);
    pair.b().handler = [](const InboundMessage& message) {
        return message.subscription == kDurable ? Disposition::held : Disposition::accepted;
    };
    pair.run_for(seconds{12});
    const auto outcomes = pair.a().outcomes();
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].outcome, Outcome::acknowledged);
    EXPECT_EQ(outcomes[0].effect, Effect::none);
    EXPECT_EQ(outcomes[1].outcome, Outcome::expired);
    EXPECT_EQ(outcomes[1].effect, Effect::unknown);
}

TEST(Restart, a_settlement_leaves_only_when_its_watermark_is_durable) {
    LinkPair pair;
    pair.reset(1, journalled(1, 22));
    WatermarkLog log;
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1"));
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 1));
    EXPECT_TRUE(pair.a().outcomes().empty());
    EXPECT_TRUE(log.append(pair.b()));
    EXPECT_FALSE(log.append(pair.b()));
    pair.run_for(seconds{1});
    EXPECT_TRUE(pair.a().outcomes().empty());
    // What is settled while a record is on its way needs another one.
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    pair.run_for(seconds{1});
    log.sync(pair.b());
    pair.run_for(seconds{1});
    EXPECT_EQ(pair.a().outcomes().size(), 1U);
    EXPECT_TRUE(log.append(pair.b()));
    log.sync(pair.b());
    pair.run_for(seconds{1});
    EXPECT_EQ(pair.a().outcomes().size(), 1U);
}

// The subscriber has a journal and is killed again and again, at any moment between handling, append, sync and send.
TEST(Restart, a_durable_subscriber_that_crashes_handles_everything_and_repeats_only_what_it_had_not_settled) {
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        SCOPED_TRACE(seed);
        LinkPair pair(seed, {.loss_percent = 10, .delay_max = milliseconds{2}});
        Random random(seed * 31);
        WatermarkLog log;
        std::map<std::string, int> handled;      // by the present and all past processes
        std::map<std::string, bool> durable_at;  // settled durably: never again
        std::deque<std::string> since_sync;
        std::deque<std::string> since_append;
        const auto handler = [&](const InboundMessage& message) {
            const std::string payload(reinterpret_cast<const char*>(message.payload.data()), message.payload.size());
            EXPECT_FALSE(durable_at[payload]) << payload;
            if (handled[payload]++ > 0) { EXPECT_TRUE(message.maybe_repeated) << payload; }
            if (payload.back() == '7') return Disposition::rejected;
            since_append.push_back(payload);
            return Disposition::accepted;
        };
        std::uint32_t epoch = 1;
        const auto boot = [&] {
            pair.reset(1, journalled(epoch++, 22));
            log.replay(pair.b());
            pair.b().handler = handler;
            since_append.clear();
            since_sync.clear();
        };
        boot();
        pair.open();
        int published = 0;
        for (int round = 0; round < 120; ++round) {
            for (int i = 0; i < 4 && published < 300; ++i) {
                if (pair.a().publish(pair.now, std::to_string(published + 1), {.subscription = kDurable})) ++published;
            }
            pair.run_for(random.between(milliseconds{0}, milliseconds{5}));
            const std::uint64_t draw = random.below(20);
            if (draw < 10 && log.append(pair.b())) {
                since_sync.insert(since_sync.end(), since_append.begin(), since_append.end());
                since_append.clear();
            } else if (draw < 17) {
                for (const std::string& payload : since_sync) durable_at[payload] = true;
                since_sync.clear();
                log.sync(pair.b());
            } else if (draw == 19) {
                boot();
                pair.run_for(seconds{6});
            }
        }
        for (int i = 0; i < 200; ++i) {
            pair.run_for(milliseconds{100});
            (void)log.append(pair.b());
            log.sync(pair.b());
        }
        const auto outcomes = pair.a().outcomes();
        EXPECT_EQ(outcomes.size(), static_cast<std::size_t>(published));
        for (const OutcomeReport& report : outcomes) {
            EXPECT_EQ(report.outcome, report.id.value() % 10 == 7 ? Outcome::rejected : Outcome::acknowledged) << report.id.value();
        }
        EXPECT_EQ(handled.size(), static_cast<std::size_t>(published));
    }
}

TEST(Restart, a_publisher_with_a_journal_goes_on_with_its_numbering) {
    LinkPair pair;
    pair.reset(0, journalled(1, 11));
    pair.open();
    for (int i = 1; i <= 3; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i)));
    pair.run_for(seconds{1});
    const Sequence next = pair.a().link->sender().next();
    EXPECT_EQ(pair.a().outcomes().size(), 3U);

    pair.reset(0, journalled(2, 11));
    // What the journal says: 3 was put and is not done, 4 was resolved, 5 is put.
    Endpoint& a = pair.a();
    for (const int number : {3, 5}) {
        const std::string payload = std::to_string(number);
        const auto message = a.outbox.put(
            {.id = PublishId{static_cast<std::uint64_t>(number)}, .topic = a.intern("t"), .payload = std::as_bytes(std::span(payload))});
        const auto delivery = a.outbox.add_delivery(message.value(), PeerIndex{0}, NodeId{2}, kDurable);
        ASSERT_EQ(a.link->sender().restore(pair.now, delivery.value(), Sequence{next.value() - 4 + static_cast<std::uint64_t>(number)}),
                  Status::ok);
    }
    EXPECT_EQ(a.outbox.next_id(), PublishId{6});
    EXPECT_EQ(a.link->sender().next(), Sequence{next.value() + 2});
    ASSERT_TRUE(a.publish(pair.now, "6", {.subscription = kDurable}));
    pair.dial();
    pair.run_for(seconds{3});
    // 3 was settled in the first life: known, and not handed over again.
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"1", "2", "3", "5", "6"}));
    EXPECT_EQ(a.outcomes().size(), 3U);
}

TEST(Restart, a_lane_that_starts_afresh_on_a_durable_stream_is_above_all_that_came_before) {
    LinkPair pair;
    pair.reset(0, journalled(1, 11));
    pair.open();
    for (int i = 1; i <= 50; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i)));
    pair.run_for(seconds{1});
    // The slot was given up and taken again; then the process restarted with nothing owed.
    pair.a().link->reset(pair.now);
    pair.dial();
    pair.run_for(seconds{5});
    ASSERT_TRUE(pair.a().publish(pair.now, "51"));
    pair.run_for(seconds{1});
    pair.reset(0, journalled(2, 11));
    pair.dial();
    ASSERT_TRUE(pair.a().publish(pair.now, "52"));
    pair.run_for(seconds{3});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 52));
}

TEST(Restart, a_volatile_publisher_that_restarts_is_a_new_stream) {
    LinkPair pair;
    std::optional<InboundMessage> waiting;
    pair.b().handler = [&](const InboundMessage& message) {
        if (waiting) return Disposition::accepted;
        waiting = message;
        return Disposition::pending;
    };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "old"));
    pair.run_for(milliseconds{100});
    LinkSelf second;
    second.epoch = BootEpoch{2};
    pair.reset(0, second);
    pair.dial();
    ASSERT_TRUE(pair.a().publish(pair.now, "new"));
    pair.run_for(seconds{2});
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{"old", "new"}));
    EXPECT_EQ(pair.b().link->receiver().complete(pair.now, waiting->sequence, waiting->stream_tag, Disposition::accepted),
              Status::not_found);
    EXPECT_EQ(pair.a().outcomes().size(), 1U);
    EXPECT_EQ(pair.b().inbox.used(), 0U);
}

TEST(Restart, removing_the_peer_ends_everything_owed_to_it) {
    LinkPair pair;
    pair.open();
    pair.cut = true;
    ASSERT_TRUE(pair.a().publish(pair.now, "sent"));
    pair.flush();
    ASSERT_TRUE(pair.a().publish(pair.now, "not sent", {.gate = JournalSequence{9}}));
    pair.a().link->reset(pair.now);
    const auto outcomes = pair.a().outcomes();
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].outcome, Outcome::peer_removed);
    EXPECT_EQ(outcomes[0].effect, Effect::unknown);
    EXPECT_EQ(outcomes[1].effect, Effect::none);
    EXPECT_EQ(pair.a().outbox.messages_used(), 0U);
    EXPECT_FALSE(pair.a().link->session_open());
}

TEST(Restart, an_unsubscribed_peer_gets_no_more_and_answers_for_what_it_had) {
    LinkPair pair;
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1"));
    pair.flush();
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    pair.a().link->sender().subscription_gone(kVolatile);
    pair.run_for(seconds{1});
    const auto outcomes = pair.a().outcomes();
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].outcome, Outcome::subscriber_gone);
    EXPECT_EQ(outcomes[1].outcome, Outcome::acknowledged);
    EXPECT_EQ(payloads(pair.b()), numbers(1, 1));
}

TEST(Restart, sequences_pass_the_32_bit_limit) {
    LinkPair pair(9, {.loss_percent = 20, .delay_max = milliseconds{4}});
    ASSERT_EQ(pair.a().link->sender().restore_next(Sequence{0xffff'ff80U}), Status::ok);
    pair.open();
    for (int i = 1; i <= 400; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i)));
    pair.run_for(seconds{60});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 400));
    EXPECT_GT(pair.b().delivered.back().sequence, 0xffff'ffffU);
    EXPECT_EQ(pair.a().outcomes().size(), 400U);
}

// One side opens, drops that session and opens again before the other has opened at all: to the other both are one session.
TEST(RestartStory, a_packet_of_a_second_session_is_no_duplicate_of_one_that_the_peer_takes_for_the_same) {
    Endpoint a(NodeId{1}, 7);
    Endpoint b(NodeId{2}, 8);
    Instant now{seconds{1000}};
    PathId path{1};
    const auto all_of = [&](Endpoint& end) {
        std::vector<std::vector<std::byte>> packets;
        for (auto bytes = end.send(now, path); !bytes.empty(); bytes = end.send(now, path)) packets.push_back(bytes);
        return packets;
    };
    const auto bring = [&](Endpoint& to, const std::vector<std::vector<std::byte>>& packets) {
        for (const auto& bytes : packets) (void)to.receive(now, path, bytes);
    };
    a.link->dial(now, path);
    bring(b, all_of(a));
    bring(a, all_of(b));
    ASSERT_TRUE(a.link->session_open() && !b.link->session_open());
    std::vector<std::vector<std::byte>> early;
    for (const char* text : {"1", "2"}) {
        ASSERT_TRUE(a.publish(now, text));
        for (auto& bytes : all_of(a)) early.push_back(bytes);
    }
    a.link->restart(now);
    bring(b, all_of(a));
    bring(a, all_of(b));
    std::vector<std::vector<std::byte>> late = all_of(a);
    ASSERT_TRUE(a.publish(now, "3"));
    for (auto& bytes : all_of(a)) late.push_back(bytes);
    bring(b, {late.front()});  // the hello that opens there
    ASSERT_TRUE(b.link->session_open());
    bring(b, early);
    bring(b, late);
    bring(a, all_of(b));
    EXPECT_EQ(payloads(b), (std::vector<std::string>{"1", "2", "3"}));
}

}  // namespace
}  // namespace dunlin::link
