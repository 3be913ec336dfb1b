#include <dunlin/link/link_memory.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <tuple>
#include <vector>

namespace dunlin::link {
namespace {

inline constexpr Limits kSmall{.outbox_bytes = 256, .outbox_messages = 3, .deliveries = 4};

struct Fixture : testing::Test {
    BoxArrays<kSmall> boxes;
    Outbox outbox{boxes.outbox_storage()};

    Result<std::uint16_t> put(const std::string& payload) {
        return outbox.put({.topic = TopicIndex{1}, .payload = std::as_bytes(std::span(payload))});
    }
    std::uint16_t add(std::uint16_t message, std::uint32_t subscription) {
        return outbox.add_delivery(message, PeerIndex{0}, NodeId{2}, SubscriptionId{subscription}).value();
    }
};
using OutboxTest = Fixture;

TEST_F(OutboxTest, keeps_a_payload_until_its_last_delivery_is_resolved) {
    const std::uint16_t message = put("payload").value();
    const std::uint16_t first = add(message, 1);
    const std::uint16_t second = add(message, 2);
    EXPECT_EQ(outbox.free_bytes(), 192U);
    outbox.resolve(first, Outcome::acknowledged, Effect::none);
    std::string read(7, ' ');
    outbox.load_payload(message, 0, std::as_writable_bytes(std::span(read)));
    EXPECT_EQ(read, "payload");
    outbox.resolve(second, Outcome::rejected, Effect::unknown);
    EXPECT_EQ(outbox.free_bytes(), 256U);
}

TEST_F(OutboxTest, a_payload_is_written_in_place_in_pieces_where_it_does_not_lie_in_one) {
    const std::uint16_t first = put("first").value();
    const std::uint16_t second = put("second").value();
    outbox.abandon(first);
    std::vector<std::size_t> places;
    auto write = [&](std::span<std::byte> piece, std::size_t offset) {
        places.push_back(offset);
        for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<std::byte>(offset + i);
    };
    const std::uint16_t message = outbox.put({.topic = TopicIndex{1}, .write_bytes = 150, .write = PayloadWriter::of(write)}).value();
    EXPECT_EQ(places, (std::vector<std::size_t>{0, 64}));
    std::array<std::byte, 150> read{};
    outbox.load_payload(message, 0, read);
    for (std::size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i], static_cast<std::byte>(i));
    std::string other(6, ' ');
    outbox.load_payload(second, 0, std::as_writable_bytes(std::span(other)));
    EXPECT_EQ(other, "second");
}

TEST_F(OutboxTest, tells_each_outcome_once_in_the_order_of_their_ends_and_then_frees_the_message) {
    const std::uint16_t message = put("x").value();
    const std::uint16_t first = add(message, 1);
    const std::uint16_t second = add(message, 2);
    outbox.resolve(second, Outcome::rejected, Effect::unknown);
    outbox.resolve(first, Outcome::acknowledged, Effect::none);
    OutcomeReport report;
    ASSERT_TRUE(outbox.poll(report));
    EXPECT_EQ(report.id, PublishId{1});
    EXPECT_EQ(report.subscription, SubscriptionId{2});
    EXPECT_EQ(report.node, NodeId{2});
    EXPECT_EQ(report.outcome, Outcome::rejected);
    EXPECT_EQ(report.effect, Effect::unknown);
    EXPECT_FALSE(report.last);
    EXPECT_EQ(outbox.messages_used(), 1U);
    ASSERT_TRUE(outbox.poll(report));
    EXPECT_TRUE(report.last);
    EXPECT_EQ(outbox.messages_used(), 0U);
    EXPECT_FALSE(outbox.poll(report));
}

TEST_F(OutboxTest, says_full_for_bytes_messages_and_deliveries_and_changes_nothing) {
    const std::uint16_t large = put(std::string(250, 'x')).value();
    EXPECT_EQ(put("y").status(), Status::outbox_full);
    outbox.abandon(large);
    const std::uint16_t message = put("a").value();
    (void)put("b");
    (void)put("c");
    EXPECT_EQ(put("d").status(), Status::outbox_full);
    for (std::uint32_t i = 0; i < 4; ++i) (void)add(message, i);
    EXPECT_EQ(outbox.add_delivery(message, PeerIndex{0}, NodeId{2}, SubscriptionId{9}).status(), Status::outbox_full);
}

TEST_F(OutboxTest, abandoning_a_message_leaves_no_trace) {
    const std::uint16_t message = put("a").value();
    (void)add(message, 1);
    (void)add(message, 2);
    outbox.abandon(message);
    EXPECT_EQ(outbox.free_bytes(), 256U);
    EXPECT_EQ(outbox.messages_used(), 0U);
    EXPECT_FALSE(outbox.has_outcome());
    const std::uint16_t again = put("b").value();
    for (std::uint32_t i = 0; i < 4; ++i) (void)add(again, i);
}

TEST_F(OutboxTest, drops_a_delivery_without_a_word_before_and_after_it_was_resolved) {
    const std::uint16_t message = put("a").value();
    const std::uint16_t first = add(message, 1);
    const std::uint16_t second = add(message, 2);
    const std::uint16_t third = add(message, 3);
    outbox.drop(first);
    outbox.resolve(second, Outcome::acknowledged, Effect::none);
    outbox.resolve(third, Outcome::acknowledged, Effect::none);
    outbox.drop(third);
    OutcomeReport report;
    ASSERT_TRUE(outbox.poll(report));
    EXPECT_EQ(report.subscription, SubscriptionId{2});
    EXPECT_TRUE(report.last);
    EXPECT_FALSE(outbox.poll(report));
    EXPECT_EQ(outbox.free_bytes(), 256U);
    // The list of outcomes is whole after its tail was dropped.
    const std::uint16_t next = put("b").value();
    outbox.resolve(add(next, 4), Outcome::acknowledged, Effect::none);
    ASSERT_TRUE(outbox.poll(report));
    EXPECT_EQ(report.subscription, SubscriptionId{4});
}

TEST_F(OutboxTest, goes_on_numbering_after_a_restored_publish) {
    const std::string payload = "x";
    (void)outbox.put({.id = PublishId{40}, .payload = std::as_bytes(std::span(payload))});
    EXPECT_EQ(outbox.next_id(), PublishId{41});
}

TEST_F(OutboxTest, keeps_the_blocks_of_a_message_before_its_payload) {
    const std::string payload = "under a lease";
    for (const auto& [fenced, keyed, bytes] : {std::tuple{true, false, 16U}, {false, true, 24U}, {true, true, 40U}}) {
        OutboxPut put{.payload = std::as_bytes(std::span(payload))};
        put.blocks = {.lease = LeaseKey{0x1122334455667788U},
                      .token = Token{9},
                      .key = {0x8877665544332211U, 7},
                      .key_lifetime_ms = 60'000,
                      .fenced = fenced,
                      .keyed = keyed};
        const std::uint16_t message = outbox.put(put).value();
        const MessageBlocks blocks = outbox.load_blocks(message);
        EXPECT_EQ(blocks.lease, fenced ? put.blocks.lease : LeaseKey{});
        EXPECT_EQ(blocks.token, fenced ? put.blocks.token : Token{});
        EXPECT_EQ(blocks.key, keyed ? put.blocks.key : IdempotencyKey{});
        EXPECT_EQ(blocks.key_lifetime_ms, keyed ? 60'000U : 0U);
        std::string read(5, ' ');
        outbox.load_payload(message, 8, std::as_writable_bytes(std::span(read)));
        EXPECT_EQ(read, "lease");
        EXPECT_EQ(stored_bytes(outbox.message(message)), payload.size() + bytes);
        outbox.abandon(message);
    }
}

TEST(InboxTest, keeps_a_slot_and_a_longest_message_from_what_waits_and_lets_nobody_take_all_the_rest) {
    static constexpr Limits kLimits{.inbox_bytes = 25 * 64, .inbox_messages = 7, .message_bytes_max = 500};
    static BoxArrays<kLimits> boxes;
    Inbox inbox(boxes.inbox_storage());
    InboxShare mine;
    InboxShare theirs;
    const std::string text(500, 'x');
    const auto bytes = std::as_bytes(std::span(text));
    EXPECT_TRUE(inbox.may_wait(500, mine));  // 8 of 16 blocks, and 9 stay free
    const std::uint16_t first = inbox.put(bytes, mine);
    inbox[first].payload_bytes = 500;
    EXPECT_EQ(inbox.stored(first).size(), 500U);
    EXPECT_EQ(mine.blocks, 8U);
    EXPECT_TRUE(inbox.may_wait(2 * 64, mine));
    EXPECT_FALSE(inbox.may_wait(3 * 64, mine));  // 11 of 16
    EXPECT_TRUE(inbox.may_wait(5 * 64, theirs));
    EXPECT_FALSE(inbox.may_wait(6 * 64, theirs));
    EXPECT_TRUE(inbox.fits(17 * 64));
    EXPECT_FALSE(inbox.fits(18 * 64));
    inbox.release_bytes(first, mine);
    EXPECT_EQ(mine.blocks, 0U);
    for (int i = 0; i < 3; ++i) EXPECT_NE(inbox.put_empty(mine), kNoSlot);
    EXPECT_EQ(mine.slots, 4U);
    EXPECT_EQ(inbox.put_empty(mine), kNoSlot);
    EXPECT_FALSE(inbox.may_wait(1, mine));
    EXPECT_NE(inbox.put_empty(theirs), kNoSlot);
    EXPECT_EQ(inbox.put_empty(theirs), kNoSlot);
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(inbox.fits(1));
        inbox[inbox.put(bytes.first(1), theirs)].payload_bytes = 1;
    }
    EXPECT_FALSE(inbox.fits(1));
    inbox.release(first, mine);
    EXPECT_EQ(mine.slots, 3U);
    EXPECT_EQ(inbox.used(), 6U);
}

TEST(InboxTest, knows_which_subscriptions_have_a_message_that_is_not_settled) {
    static constexpr Limits kLimits{};
    static BoxArrays<kLimits> boxes;
    Inbox inbox(boxes.inbox_storage());
    InboxShare share;
    const std::uint16_t slot = inbox.put({}, share);
    inbox[slot].subscription = SubscriptionId{7};
    EXPECT_FALSE(inbox.has_unsettled(SubscriptionId{7}));
    for (const WaitState state : {WaitState::pending, WaitState::retry, WaitState::held}) {
        inbox[slot].state = state;
        EXPECT_TRUE(inbox.has_unsettled(SubscriptionId{7}));
        EXPECT_FALSE(inbox.has_unsettled(SubscriptionId{8}));
    }
    inbox[slot].state = WaitState::decided;
    EXPECT_FALSE(inbox.has_unsettled(SubscriptionId{7}));
    inbox.release(slot, share);
    EXPECT_FALSE(inbox.has_unsettled(SubscriptionId{7}));
}

}  // namespace
}  // namespace dunlin::link
