#include <link/link_pair.hpp>

namespace dunlin::link {
namespace {

// Publishes `count` numbered messages as the window allows and runs until every outcome is in.
void publish_all(LinkPair& pair, int count, std::map<std::uint64_t, int>& told) {
    int sent = 0;
    const auto pump = [&] {
        while (sent < count && pair.a().publish(pair.now, std::to_string(sent + 1))) ++sent;
        for (const OutcomeReport& report : pair.a().outcomes()) {
            EXPECT_EQ(report.outcome, Outcome::acknowledged);
            ++told[report.id.value()];
        }
        pair.flush();
        return static_cast<int>(told.size()) == count;
    };
    pair.run_until(pump, seconds{300});
}

class ExactlyOnce : public testing::TestWithParam<std::uint32_t> {};

TEST_P(ExactlyOnce, everything_arrives_once_and_in_order_and_every_outcome_is_told_once) {
    std::uint64_t resent = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE(seed);
        LinkPair pair(seed, {.loss_percent = GetParam(),
                             .duplicate_percent = GetParam() / 2,
                             .delay_min = microseconds{100},
                             .delay_max = milliseconds{3}});
        pair.open();
        std::map<std::uint64_t, int> told;
        publish_all(pair, 2000, told);
        EXPECT_EQ(told.size(), 2000U);
        for (const auto& [id, times] : told) EXPECT_EQ(times, 1) << id;
        EXPECT_EQ(payloads(pair.b()), numbers(1, 2000));
        EXPECT_EQ(pair.a().outbox.messages_used(), 0U);
        EXPECT_EQ(pair.b().inbox.used(), 0U);
        resent += pair.a().counters.get(Counter::messages_resent);
    }
    if (GetParam() > 0) { EXPECT_GT(resent, 0U); }
}

INSTANTIATE_TEST_SUITE_P(Loss, ExactlyOnce, testing::Values(0U, 5U, 20U, 40U));

TEST(ExactlyOnceRun, two_runs_with_the_same_seed_are_the_same) {
    std::size_t packets[2] = {};
    std::int64_t ended[2] = {};
    for (int run = 0; run < 2; ++run) {
        LinkPair pair(77, {.loss_percent = 20, .duplicate_percent = 5, .delay_min = microseconds{100}, .delay_max = milliseconds{3}});
        pair.open();
        std::map<std::uint64_t, int> told;
        publish_all(pair, 500, told);
        packets[run] = pair.packet_count;
        ended[run] = pair.now.time_since_epoch().count();
    }
    EXPECT_EQ(packets[0], packets[1]);
    EXPECT_EQ(ended[0], ended[1]);
}

TEST(ExactlyOnceRun, both_directions_at_once) {
    LinkPair pair(3, {.loss_percent = 10, .delay_min = microseconds{100}, .delay_max = milliseconds{1}});
    pair.open();
    for (int i = 1; i <= 300; ++i) {
        ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i)));
        ASSERT_TRUE(pair.b().publish(pair.now, std::to_string(i)));
    }
    pair.run_until([&] { return pair.a().outbox.messages_used() == 0 && pair.b().outbox.messages_used() == 0; }, milliseconds{1});
    pair.run_for(seconds{20});
    EXPECT_EQ(payloads(pair.a()), numbers(1, 300));
    EXPECT_EQ(payloads(pair.b()), numbers(1, 300));
    EXPECT_EQ(pair.a().outcomes().size(), 300U);
    EXPECT_EQ(pair.b().outcomes().size(), 300U);
}

// The largest number of ranges in an ack among these packets.
int ack_ranges(const std::vector<std::vector<std::byte>>& packets) {
    Counters counters;
    int most = -1;
    for (const auto& packet : packets) {
        auto reader = wire::PacketReader::open(packet, counters);
        for (wire::Record record; reader && reader->next(record);) {
            if (record.type == wire::RecordType::ack) most = std::max<int>(most, record.as<wire::Ack>().range_count());
        }
    }
    return most;
}

TEST(ExactlyOnceRun, acks_do_not_repeat_for_ever_what_the_peer_knows) {
    LinkPair pair(6, {.loss_percent = 20});
    pair.open();
    pair.record = true;
    const auto talk = [&](int rounds) {
        for (int i = 0; i < rounds; ++i) {
            (void)pair.a().publish(pair.now, "x");
            (void)pair.b().publish(pair.now, "x");
            pair.run_for(milliseconds{20});
        }
    };
    talk(50);
    EXPECT_GT(ack_ranges(pair.recorded), 0);
    pair.faults.loss_percent = 0;
    talk(20);
    pair.recorded.clear();
    talk(20);
    EXPECT_EQ(ack_ranges(pair.recorded), 0);
}

TEST(ExactlyOnceRun, a_small_inbox_and_loss_do_not_make_it_wait_for_probe_after_probe) {
    LinkPair pair(1, {.loss_percent = 20, .delay_min = microseconds{100}, .delay_max = milliseconds{1}});
    pair.open();
    const Instant start = pair.now;
    const std::string payload(64, 'x');
    std::size_t sent = 0;
    std::size_t told = 0;
    pair.run_until([&] {
        while (sent < 5000 && pair.a().publish(pair.now, payload)) ++sent;
        told += pair.a().outcomes().size();
        pair.flush();
        return told == 5000;
    });
    EXPECT_EQ(told, 5000U);
    EXPECT_LT(pair.now - start, seconds{6});
}

TEST(ExactlyOnceRun, long_messages_and_long_names_share_packets_or_not) {
    LinkPair pair(5, {.loss_percent = 10});
    pair.open();
    const std::string name(200, 'n');
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(
            pair.a().publish(pair.now, std::string(1000 - static_cast<std::size_t>(i), 'x'), {.topic = name + std::to_string(i % 3)}));
    }
    pair.run_for(seconds{20});
    ASSERT_EQ(pair.b().delivered.size(), 20U);
    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_EQ(pair.b().delivered[i].payload.size(), 1000 - i);
        EXPECT_EQ(pair.b().delivered[i].topic, name + std::to_string(i % 3));
    }
}

TEST(ExactlyOnceRun, more_topics_than_aliases_are_never_mistaken_for_each_other) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        LinkPair pair(seed, {.loss_percent = 25, .duplicate_percent = 20, .delay_min = microseconds{100}, .delay_max = milliseconds{20}});
        pair.open();
        for (int i = 0; i < 400; ++i) {
            const std::string topic = "topic/" + std::to_string(i * 7 % 40);
            ASSERT_TRUE(pair.a().publish(pair.now, topic, {.topic = topic}));
        }
        pair.run_for(seconds{120});
        ASSERT_EQ(pair.b().delivered.size(), 400U);
        for (const Delivered& message : pair.b().delivered) EXPECT_EQ(message.topic, message.payload);
    }
}

}  // namespace
}  // namespace dunlin::link
