#include <link/link_pair.hpp>

namespace dunlin::link {
namespace {

constexpr Limits kLong{.outbox_bytes = 1 << 20,
                       .outbox_messages = 128,
                       .deliveries = 4096,
                       .inbox_bytes = 256 * 1024,
                       .inbox_messages = 64,
                       .message_bytes_max = 65'535,
                       .unsettled_max = 192,
                       .packets_in_flight_per_peer = 64};
using LongPair = LinkPairOf<kLong>;

std::string text(std::size_t number, std::size_t bytes) {
    std::string all = std::to_string(number) + ":";
    while (all.size() < bytes) all.push_back(static_cast<char>('a' + (all.size() / 11 + all.size() + number) % 26));
    return all;
}

LinkSelf with_packets(std::uint16_t bytes) {
    LinkSelf self;
    self.packet_bytes_max = bytes;
    return self;
}

struct Wire {
    std::uint32_t loss_percent;
    std::uint16_t packet_bytes;
    // Names the test; by its bytes it would be named by padding too.
    friend std::ostream& operator<<(std::ostream& out, const Wire& wire) {
        return out << wire.loss_percent << " % of packets of " << wire.packet_bytes << " bytes";
    }
};

struct FragmentsUnderLoss : testing::TestWithParam<Wire> {
    LongPair pair{11, {.loss_percent = GetParam().loss_percent, .duplicate_percent = 5, .delay_max = milliseconds{5}}};
    void SetUp() override {
        pair.reset(1, with_packets(GetParam().packet_bytes));
        pair.open();
    }
};

TEST_P(FragmentsUnderLoss, messages_of_any_length_arrive_once_whole_and_in_order) {
    std::vector<std::string> sent;
    for (const std::size_t bytes : {3U, 344U, 345U, 688U, 689U, 1024U, 1100U, 2000U, 5U, 16'384U, 7U, 30'000U, 1400U, 65'535U, 9U}) {
        sent.push_back(text(sent.size(), bytes));
        EXPECT_TRUE(pair.a().publish(pair.now, sent.back()));
    }
    std::size_t acknowledged = 0;
    pair.run_until([&] {
        for (const OutcomeReport& report : pair.a().outcomes()) acknowledged += report.outcome == Outcome::acknowledged ? 1 : 0;
        return acknowledged == sent.size();
    });
    EXPECT_EQ(acknowledged, sent.size());
    EXPECT_EQ(payloads(pair.b()), sent);
    EXPECT_EQ(pair.b().inbox.used(), 0U);
    EXPECT_EQ(pair.a().outbox.messages_used(), 0U);
    EXPECT_GT(pair.b().counters.get(Counter::messages_joined), 3U);
    EXPECT_EQ(pair.b().counters.get(Counter::records_malformed), 0U);
}

// Publishers give up in the midst of messages, handlers want some later: whatever is said, both sides say the same.
TEST_P(FragmentsUnderLoss, both_sides_agree_on_each_message) {
    Random random(5);
    std::map<std::string, int> runs;
    pair.b().handler = [&](const InboundMessage& message) {
        const std::string name(reinterpret_cast<const char*>(message.payload.data()), 4);
        ++runs[name];
        if (runs[name] == 1 && random.below(4) == 0) return Disposition::retry_later;
        return random.below(5) == 0 ? Disposition::rejected : Disposition::accepted;
    };
    std::size_t published = 0;
    std::map<std::uint64_t, std::string> names;
    std::vector<OutcomeReport> outcomes;
    for (int round = 0; round < 60; ++round) {
        const std::string payload = text(100 + published, static_cast<std::size_t>(200 + random.below(12'000)));
        if (const auto delivery = pair.a().publish(pair.now, payload, {.lifetime = milliseconds{3 + random.below(60)}})) {
            ++published;
            names[pair.a().outbox.message(pair.a().outbox.delivery(*delivery).message).id.value()] = payload.substr(0, 4);
        }
        pair.run_for(milliseconds{5});
        for (const OutcomeReport& report : pair.a().outcomes()) outcomes.push_back(report);
    }
    pair.run_until([&] {
        for (const OutcomeReport& report : pair.a().outcomes()) outcomes.push_back(report);
        return outcomes.size() == published;
    });
    ASSERT_EQ(outcomes.size(), published);
    pair.run_for(seconds{1});  // what ended here without a word of the peer is still to be skipped there
    for (const OutcomeReport& report : outcomes) {
        const std::string& name = names.at(report.id.value());
        if (report.outcome == Outcome::acknowledged || report.outcome == Outcome::rejected || report.effect == Effect::unknown) {
            EXPECT_GE(runs[name], 1) << name;
        } else {
            EXPECT_EQ(runs[name], 0) << name;
        }
    }
    EXPECT_EQ(pair.b().inbox.used(), 0U);
    EXPECT_EQ(pair.a().link->sender().first(), pair.a().link->sender().next());
    EXPECT_EQ(pair.b().counters.get(Counter::records_malformed), 0U);
}

TEST_P(FragmentsUnderLoss, a_subscriber_that_is_started_again_in_the_midst_gets_the_message_whole) {
    const std::string first = text(1, 40'000);
    const std::string second = text(2, 20'000);
    EXPECT_TRUE(pair.a().publish(pair.now, first, {.subscription = kDurable}));
    EXPECT_TRUE(pair.a().publish(pair.now, second, {.subscription = kDurable}));
    pair.run_until([&] { return pair.b().inbox.used() > 0; });
    EXPECT_TRUE(pair.b().delivered.empty());
    LinkSelf self = with_packets(GetParam().packet_bytes == 576 ? 1200 : 576);
    self.epoch = BootEpoch{2};
    pair.reset(1, self);
    std::vector<OutcomeReport> outcomes;
    pair.run_until([&] {
        for (const OutcomeReport& report : pair.a().outcomes()) outcomes.push_back(report);
        return outcomes.size() == 2;
    });
    EXPECT_EQ(payloads(pair.b()), (std::vector<std::string>{first, second}));
    EXPECT_TRUE(pair.b().delivered.at(0).maybe_repeated);
}

INSTANTIATE_TEST_SUITE_P(Wires, FragmentsUnderLoss, testing::Values(Wire{0, 1200}, Wire{5, 1200}, Wire{5, 576}, Wire{25, 900}));

}  // namespace
}  // namespace dunlin::link
