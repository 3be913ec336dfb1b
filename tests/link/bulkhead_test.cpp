#include <link/shared_inbox.hpp>

#include <cstring>

namespace dunlin::link {
namespace {

// An inbox for eleven messages that wait, or fifteen blocks of them, and the reserve.
constexpr Limits kTight{.inbox_bytes = 20 * 64, .inbox_messages = 12, .message_bytes_max = 256};
constexpr std::size_t kLongest = 256;

// Four publishers, one inbox. The handler of kSlow says pending, or what `slow` is set to, and that of kFast accepts.
struct Bulkhead : SharedInbox<kTight, 4> {
    Disposition slow = Disposition::pending;

    void SetUp() override {
        end.handler = [this](const InboundMessage& message) { return message.subscription == kFast ? Disposition::accepted : slow; };
        SharedInbox::SetUp();
    }
    bool send(std::size_t publisher, std::uint64_t sequence, SubscriptionId to, std::size_t payload_bytes = 1) {
        const wire::MessageHead head(static_cast<std::uint16_t>(payload_bytes), alias_of(to), 0, 0, 0);
        std::vector<std::byte> bytes(sizeof(head) + (payload_bytes + 3) / 4 * 4);
        std::memcpy(bytes.data(), &head, sizeof(head));
        return give(publisher, sequence, bytes);
    }
    // Sends `next`, `next` + 1, ... until one is not taken: that one.
    std::uint64_t fill(std::size_t publisher, std::uint64_t next, SubscriptionId to) {
        while (next < 100 && send(publisher, next, to)) ++next;
        return next;
    }
    [[nodiscard]] std::size_t delivered(SubscriptionId to) const {
        return static_cast<std::size_t>(std::count_if(end.delivered.begin(), end.delivered.end(),
                                                      [=](const Delivered& message) { return message.subscription == to; }));
    }
    void accept_all_pending(std::size_t publisher) {
        for (std::uint64_t sequence = 1; sequence < 100; ++sequence) {
            (void)lanes[publisher].complete(now, Sequence{sequence}, 1, Disposition::accepted);
        }
    }
};

TEST_F(Bulkhead, a_publisher_whose_messages_wait_leaves_room_for_what_others_let_wait) {
    const std::uint64_t refused = fill(0, 1, kSlow);
    EXPECT_GT(refused, 5U);
    EXPECT_LT(refused, 12U);
    EXPECT_EQ(delivered(kSlow), 1U);
    EXPECT_TRUE(send(1, 1, kSlow));
    EXPECT_TRUE(send(1, 2, kSlow));
    EXPECT_EQ(delivered(kSlow), 2U);
    for (std::uint64_t i = 1; i <= 50; ++i) EXPECT_TRUE(send(2, i, kFast, kLongest)) << i;
    EXPECT_EQ(delivered(kFast), 50U);
}

TEST_F(Bulkhead, a_handler_that_is_free_goes_on_however_many_messages_wait_for_another) {
    for (const Disposition said : {Disposition::pending, Disposition::retry_later, Disposition::held}) {
        SetUp();
        slow = said;
        for (std::size_t round = 0; round < 3; ++round) {
            for (const std::size_t publisher : {0U, 1U, 2U}) (void)fill(publisher, 1, kSlow);
        }
        const std::size_t before = delivered(kFast);
        for (std::uint64_t i = 1; i <= 50; ++i) EXPECT_TRUE(send(3, i, kFast, kLongest)) << i;
        EXPECT_EQ(delivered(kFast), before + 50U);
        for (LaneReceiver& lane : lanes) lane.reset();
        lanes.clear();
        EXPECT_EQ(end.inbox.used(), 0U);
    }
}

TEST_F(Bulkhead, a_handler_that_has_a_message_gets_another_only_with_room_for_it_beside_the_reserve) {
    for (const std::size_t publisher : {0U, 1U, 2U}) (void)fill(publisher, 1, kSlow);
    const std::size_t before = delivered(kSlow);
    EXPECT_FALSE(send(3, 1, kSlow, kLongest));
    EXPECT_EQ(delivered(kSlow), before);
    EXPECT_TRUE(send(3, 1, kFast, kLongest));
    accept_all_pending(0);
    EXPECT_TRUE(send(3, 2, kSlow, kLongest));
}

TEST_F(Bulkhead, what_is_next_goes_past_a_pending_message_of_its_lane_whatever_others_let_wait) {
    EXPECT_TRUE(send(0, 1, kSlow));
    for (const std::size_t publisher : {1U, 2U, 3U}) (void)fill(publisher, 1, kSlow);
    for (std::uint64_t i = 2; i <= 50; ++i) EXPECT_TRUE(send(0, i, kFast, kLongest)) << i;
    EXPECT_EQ(delivered(kFast), 49U);
}

TEST_F(Bulkhead, what_waits_behind_gaps_never_stops_what_closes_them) {
    for (const std::size_t publisher : {0U, 1U, 2U, 3U}) (void)fill(publisher, 2, kFast);
    EXPECT_EQ(delivered(kFast), 0U);
    for (const std::size_t publisher : {0U, 1U, 2U, 3U}) EXPECT_TRUE(send(publisher, 1, kFast, kLongest));
    EXPECT_EQ(end.inbox.used(), 0U);
}

TEST_F(Bulkhead, everything_refused_is_taken_in_the_end_and_in_order) {
    std::array<std::uint64_t, kPublishers> next{1, 1, 1, 1};
    for (int round = 0; round < 300; ++round) {
        for (std::size_t publisher = 0; publisher < kPublishers; ++publisher) {
            for (int i = 0; i < 5 && next[publisher] <= 40; ++i) {
                const bool longest = next[publisher] % 3 == 0;
                if (!send(publisher, next[publisher], next[publisher] % 4 == 0 ? kFast : kSlow, longest ? kLongest : 1)) break;
                ++next[publisher];
            }
        }
        accept_all_pending(static_cast<std::size_t>(round) % kPublishers);
    }
    EXPECT_EQ(end.delivered.size(), kPublishers * 40);
    EXPECT_EQ(end.inbox.used(), 0U);
    for (const LaneReceiver& lane : lanes) EXPECT_EQ(lane.settlements().live().cumulative(), Sequence{40});
}

}  // namespace
}  // namespace dunlin::link
