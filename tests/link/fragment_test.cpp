#include <link/endpoint.hpp>

#include <gtest/gtest.h>
#include <wire/hex.hpp>

#include <cstring>

namespace dunlin::link {
namespace {

constexpr Limits kLong{.outbox_bytes = 64 * 1024,
                       .outbox_messages = 64,
                       .deliveries = 64,
                       .inbox_bytes = 32 * 1024,
                       .inbox_messages = 32,
                       .message_bytes_max = 4096,
                       .packets_in_flight_per_peer = 16};
constexpr std::size_t kF = kFragmentBytes;
constexpr auto kFenceFlag = static_cast<std::uint8_t>(wire::MessageFlag::fence);
constexpr auto kFragmentFlag = static_cast<std::uint8_t>(wire::MessageFlag::fragment);

std::string text(std::size_t bytes, unsigned from = 0) {
    std::string all(bytes, ' ');
    for (std::size_t i = 0; i < bytes; ++i) all[i] = static_cast<char>('a' + (from + i / 7 + i) % 26);
    return all;
}

// A lane each way on its own, without a session: what is sent is looked at, what is received is made by hand.
struct FragmentTest : testing::Test {
    Instant now{seconds{1}};
    EndpointOf<kLong> end{NodeId{1}, 7};
    LaneSender& sender() { return end.link->lane(); }
    LaneReceiver& receiver() { return end.link->receiver(); }
    std::vector<std::byte> packet;
    SentPacket sent;
    std::uint64_t number = 0;

    void SetUp() override {
        sender().set_stream(StreamId{5});
        sender().session_opened(now, true);
        receiver().set_publisher(NodeId{2});
        receiver().session_opened(now, StreamId{9}, Sequence{1});
        for (const std::uint16_t alias : {std::uint16_t{0}, std::uint16_t{1}}) {
            const std::string name = "t";
            const wire::AliasDeclare declare(7U + alias, alias, 0);
            ASSERT_TRUE(receiver().on_alias(1, {wire::RecordType::alias_declare, bytes_of(declare), std::as_bytes(std::span(name))}));
        }
    }
    // ---- sending ----
    std::string write(std::size_t bytes) {
        packet.assign(bytes, std::byte{});
        sent = {};
        wire::PacketWriter writer{std::span<std::byte>(packet)};
        sender().on_timeout(now);
        (void)sender().write_skips(writer, sent);
        (void)sender().write(now, PacketNumber{++number}, bytes, writer, sent);
        sent.number_low = static_cast<std::uint32_t>(number);
        packet.resize(writer.size());
        return test::to_hex(std::span(packet).subspan(wire::kHeaderBytes));
    }
    SentPacket declare_alias() {
        (void)end.publish(now, "x");
        (void)write(1200);
        sender().on_packet_acked(sent);
        return sent;
    }
    bool settle(std::uint64_t cumulative, std::uint64_t bitmap = 0, const std::vector<wire::SettlementException>& exceptions = {}) {
        std::vector<std::byte> bytes(8 + exceptions.size() * 16);
        std::memcpy(bytes.data(), &bitmap, 8);
        if (!exceptions.empty()) std::memcpy(bytes.data() + 8, exceptions.data(), exceptions.size() * 16);
        const wire::Settlement fixed(5, cumulative, 0, static_cast<std::uint8_t>(exceptions.size()), 1, 0);
        return sender().on_settlement({wire::RecordType::settlement, bytes_of(fixed), bytes});
    }
    // ---- receiving ----
    struct Shape {
        std::size_t total = 0;  // of the payload
        std::size_t index = 0;
        std::uint16_t alias = 0;
        std::uint16_t lifetime_ms = 0;
        std::uint8_t flags = 0;
        bool maybe_repeated = false;
    };
    // One piece: bytes of the body from `index` on.
    static std::vector<std::byte> piece(const std::string& bytes, const Shape& shape) {
        const wire::MessageHead head(static_cast<std::uint16_t>(bytes.size()), shape.alias, shape.lifetime_ms, 0,
                                     static_cast<std::uint8_t>(kFragmentFlag | shape.flags | (shape.maybe_repeated ? 32 : 0)));
        const wire::FragmentBlock block(static_cast<std::uint16_t>(shape.total), static_cast<std::uint16_t>(shape.index));
        std::vector<std::byte> out(sizeof(head) + sizeof(block) + (bytes.size() + 3) / 4 * 4);
        std::memcpy(out.data(), &head, sizeof(head));
        std::memcpy(out.data() + sizeof(head), &block, sizeof(block));
        if (!bytes.empty()) std::memcpy(out.data() + sizeof(head) + sizeof(block), bytes.data(), bytes.size());
        return out;
    }
    bool run(std::uint64_t place, const std::vector<std::byte>& pieces, std::uint16_t count = 1) {
        const wire::Run head(place, 1, 0, 0, count, 0);
        return receiver().on_run(now, 1, {wire::RecordType::run, bytes_of(head), pieces});
    }
    // Fragments [index, index + count) of the message that begins at `first`.
    bool give(std::uint64_t first, const std::string& body, std::size_t index, std::size_t count = 1) {
        const std::string bytes = body.substr(index * kF, count * kF);
        return run(first + index, piece(bytes, {.total = body.size(), .index = index}));
    }
    bool skip(std::uint64_t first, std::uint32_t count, bool answer, std::uint16_t each = 0) {
        const wire::Skip record(first, count, 0, answer ? 1 : 0, each);
        return receiver().on_skip(now, {wire::RecordType::skip, bytes_of(record), {}});
    }
    [[nodiscard]] Sequence settled() { return receiver().settlements().live().cumulative(); }
};

// ---- sending --------------------------------------------------------------------------------------------------------

TEST_F(FragmentTest, a_message_takes_one_sequence_for_each_fragment_of_its_body) {
    std::uint64_t next = sender().next().value();
    const std::pair<std::size_t, std::uint64_t> kCases[] = {{0, 1}, {1, 1}, {kF, 1}, {kF + 1, 2}, {2 * kF, 2}, {2 * kF + 1, 3}, {4096, 12}};
    for (const auto& [bytes, fragments] : kCases) {
        const auto delivery = end.publish(now, text(bytes));
        ASSERT_TRUE(delivery);
        EXPECT_EQ(sender().sequence_of(*delivery).value(), std::max<std::uint64_t>(next, 1));
        next = std::max<std::uint64_t>(next, 1) + fragments;
        EXPECT_EQ(sender().next().value(), next) << bytes;
    }
    (void)end.publish(now, text(kF), {.token = Token{3}});  // its fence makes it longer than one
    EXPECT_EQ(sender().next().value(), next + 2);
}

TEST_F(FragmentTest, a_piece_on_the_wire) {
    declare_alias();
    const std::string payload = text(504);
    (void)end.publish(now, payload, {.token = Token{0x21}});
    const std::string hex = write(576);
    EXPECT_EQ(hex.substr(0, 116),
              // run: head, sequence 2, Lamport time 2, lane 0, 1 piece
              "80011018"
              "0200000000000000"
              "0200000000000000"
              "0000"
              "0100"
              "00000000"
              // 344 bytes, alias 0, no lifetime, a fence and a fragment; of 504 bytes in all, the first
              "5801"
              "0000"
              "0000"
              "00"
              "05"
              "f801"
              "0000"
              // lease 5, token 0x21, payload
              "0500000000000000"
              "2100000000000000"
              "6162");
    EXPECT_EQ(write(576),
              // run: head, sequence 3, Lamport time 3, lane 0, 1 piece
              "d8001018"
              "0300000000000000"
              "0300000000000000"
              "0000"
              "0100"
              "00000000"
              // the last 176 bytes: fragment 1
              "b000"
              "0000"
              "0000"
              "00"
              "05"
              "f801"
              "0100" +
                  test::to_hex(std::as_bytes(std::span(payload))).substr(2 * (kF - 16)));
}

TEST_F(FragmentTest, what_fits_a_packet_of_the_session_is_not_divided) {
    declare_alias();
    (void)end.publish(now, text(1000));
    (void)end.publish(now, text(1000));
    EXPECT_EQ(write(1200).size(), 2 * (4 + 24 + 8 + 1000U));  // and nothing of the second
    EXPECT_EQ(sent.range_count(0), 3);
    (void)write(1200);
    EXPECT_EQ(sent.range_first(0), 5U);
    EXPECT_EQ(sent.range_count(0), 3);
}

TEST_F(FragmentTest, packets_are_filled_with_fragments_whatever_their_size) {
    for (const std::size_t bytes : {std::size_t{576}, std::size_t{1200}, std::size_t{1472}}) {
        SetUp();
        declare_alias();
        const std::uint64_t first = sender().next().value();
        ASSERT_TRUE(end.publish(now, text(4096)));
        std::size_t fragments = 0;
        while (sender().wants_to_send()) {
            EXPECT_LE(write(bytes).size() / 2 + wire::kHeaderBytes, bytes);
            EXPECT_EQ(sent.range_first(0), first + fragments);
            fragments += sent.range_count(0);
        }
        EXPECT_EQ(fragments, 12U);
        EXPECT_TRUE(settle(first + 11));
        EXPECT_EQ(end.outcomes().size(), 2U);
    }
}

TEST_F(FragmentTest, sends_again_only_the_fragments_that_the_lost_packet_carried) {
    declare_alias();
    (void)end.publish(now, text(9 * kF));
    std::vector<SentPacket> packets;
    while (sender().wants_to_send()) {
        (void)write(1200);
        packets.push_back(sent);
    }
    ASSERT_EQ(packets.size(), 3U);
    sender().on_packet_acked(packets[0]);
    sender().on_packet_lost(packets[1]);
    ASSERT_TRUE(sender().wants_to_send());
    (void)write(1200);
    EXPECT_EQ(sent.range_first(0), packets[1].range_first(0));
    EXPECT_EQ(sent.range_count(0), 3);
    EXPECT_FALSE(sender().wants_to_send());
    sender().on_packet_lost(packets[0]);  // it was acknowledged: the peer has it
    EXPECT_FALSE(sender().wants_to_send());
    sender().probe_first();  // the first fragment whose fate is open
    (void)write(1200);
    EXPECT_EQ(sent.range_first(0), packets[1].range_first(0));
    EXPECT_EQ(sent.range_count(0), 1);
}

TEST_F(FragmentTest, a_new_session_sends_all_fragments_again_and_the_peer_may_acknowledge_them_all_at_once) {
    declare_alias();
    (void)end.publish(now, text(5 * kF));
    while (sender().wants_to_send()) {
        (void)write(1200);
        sender().on_packet_acked(sent);
    }
    sender().session_closed(now);
    sender().session_opened(now, true);
    (void)write(1200);  // the alias, and the first message
    std::size_t again = sent.range_count(0);
    while (sender().wants_to_send()) {
        (void)write(1200);
        again += sent.range_count(0);
    }
    EXPECT_EQ(again, 1U + 5U);
    EXPECT_TRUE(settle(6));
    EXPECT_EQ(sender().first(), Sequence{7});
    EXPECT_EQ(end.outcomes().size(), 2U);
    EXPECT_FALSE(sender().owes_skips());
}

TEST_F(FragmentTest, the_window_has_room_for_all_fragments_of_a_message_or_takes_none) {
    std::size_t taken = 0;
    while (end.publish(now, text(4096))) ++taken;
    EXPECT_EQ(taken, 64U / 12U);
    EXPECT_EQ(end.counters.get(Counter::window_full), 1U);
    EXPECT_TRUE(end.publish(now, text(4 * kF)));
    EXPECT_FALSE(end.publish(now, ""));
}

TEST_F(FragmentTest, the_latest_delivery_is_taken_back_with_all_its_fragments) {
    const auto first = end.publish(now, text(kF + 1));
    const auto second = end.publish(now, text(4096));
    sender().retract(*second);
    end.outbox.abandon(end.outbox.delivery(*second).message);
    EXPECT_EQ(sender().next(), Sequence{3});
    sender().retract(*first);
    EXPECT_EQ(sender().next(), Sequence{1});
}

TEST_F(FragmentTest, a_peer_may_refuse_what_it_has_seen_in_part_but_not_accept_it) {
    declare_alias();
    (void)end.publish(now, text(4096));
    (void)write(1200);
    EXPECT_TRUE(settle(4));
    EXPECT_EQ(end.outcomes().size(), 1U);  // of the short one
    EXPECT_EQ(sender().first(), Sequence{2});
    EXPECT_TRUE(settle(1, 1, {wire::SettlementException(2, static_cast<std::uint8_t>(Outcome::rejected), 0, 0, 0)}));
    const auto outcomes = end.outcomes();
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].outcome, Outcome::rejected);
    EXPECT_EQ(outcomes[0].effect, Effect::none);
    // The rest is not sent any more: the peer is told to skip it.
    EXPECT_FALSE(sender().wants_to_send());
    EXPECT_EQ(write(1200),
              "14001210"
              "0300000000000000"
              "0b000000"
              "00"
              "00"
              "0000");
    EXPECT_TRUE(settle(13));
    EXPECT_EQ(sender().first(), sender().next());
}

TEST_F(FragmentTest, a_message_sent_in_part_is_given_up_as_a_whole_and_one_answer_is_asked_for) {
    declare_alias();
    (void)end.publish(now, text(3 * kF), {.lifetime = milliseconds{5}});
    (void)end.publish(now, text(3 * kF), {.lifetime = milliseconds{5}});
    (void)end.publish(now, text(4 * kF), {.lifetime = milliseconds{5}});
    (void)end.publish(now, "last");
    (void)write(1200);
    (void)write(1200);
    (void)write(1200);  // three of four
    EXPECT_EQ(sent.range_count(0), 3);
    now += milliseconds{10};
    EXPECT_EQ(write(1200).substr(0, 40),
              "14001210"
              "0200000000000000"
              "06000000"
              "00"
              "01"
              "0300");
    EXPECT_EQ(sent.range_count(1), 1);  // what comes after it
    EXPECT_EQ(sent.range_first(1), 12U);
    EXPECT_EQ(write(1200).substr(0, 40),
              "14001210"
              "0800000000000000"
              "04000000"
              "00"
              "01"
              "0400");
    const SentPacket asked = sent;
    EXPECT_FALSE(sender().owes_skips());
    sender().on_packet_lost(asked);
    EXPECT_TRUE(sender().owes_skips());
    (void)write(1200);
    EXPECT_EQ(sent.range_first(0), 8U);
    EXPECT_FALSE(sender().wants_to_send());
    const auto skipped = [](std::uint64_t sequence) {
        return wire::SettlementException(sequence, static_cast<std::uint8_t>(Outcome::skipped), 0, 0, 0);
    };
    EXPECT_TRUE(settle(12, 0, {skipped(2), skipped(5), skipped(8)}));
    const auto outcomes = end.outcomes();
    ASSERT_EQ(outcomes.size(), 5U);
    std::size_t expired = 0;
    for (const OutcomeReport& report : outcomes) expired += report.outcome == Outcome::expired && report.effect == Effect::none ? 1 : 0;
    EXPECT_EQ(expired, 3U);
}

TEST_F(FragmentTest, a_delivery_from_before_a_restart_has_the_sequences_that_it_had) {
    const auto restored = [&](const std::string& payload, std::uint64_t sequence) {
        const auto message = end.outbox.put({.topic = end.intern("t"), .payload = std::as_bytes(std::span(payload))});
        const auto delivery = end.outbox.add_delivery(message.value(), PeerIndex{0}, NodeId{2}, kDurable);
        EXPECT_EQ(sender().restore(now, delivery.value(), Sequence{sequence}), Status::ok);
        return delivery.value();
    };
    const std::uint16_t first = restored(text(3 * kF), 10);
    (void)restored("x", 13);
    EXPECT_EQ(sender().next(), Sequence{14});
    sender().remove(first);
    end.outbox.drop(first);
    EXPECT_EQ(sender().first_unsettled(), Sequence{13});
    const std::uint16_t third = restored(text(2 * kF), 20);
    EXPECT_EQ(sender().sequence_of(third), Sequence{20});
    EXPECT_EQ(sender().next(), Sequence{22});
    std::size_t resent = 0;
    for (int i = 0; i < 3; ++i) {
        (void)write(1200);
        for (std::size_t r = 0; r < sent.ranges(); ++r) resent += sent.range_is_skip(r) ? 0 : sent.range_count(r);
    }
    EXPECT_EQ(resent, 3U);
    EXPECT_EQ(sender().restore_next(Sequence{13 + 65}), Status::busy);
}

// ---- receiving ------------------------------------------------------------------------------------------------------

TEST_F(FragmentTest, fragments_in_any_order_are_one_message) {
    const std::string body = text(5 * kF - 3);
    for (const std::size_t index : {4U, 0U, 2U, 1U}) EXPECT_TRUE(give(1, body, index));
    EXPECT_TRUE(end.delivered.empty());
    EXPECT_EQ(receiver().contiguous(), Sequence{});
    EXPECT_TRUE(give(1, body, 2));  // again
    EXPECT_EQ(end.counters.get(Counter::messages_duplicate), 1U);
    EXPECT_TRUE(give(1, body, 3));
    ASSERT_EQ(end.delivered.size(), 1U);
    EXPECT_EQ(end.delivered[0].payload, body);
    EXPECT_EQ(end.delivered[0].sequence, 1U);
    EXPECT_EQ(settled(), Sequence{5});
    EXPECT_EQ(end.inbox.used(), 0U);
    EXPECT_EQ(end.counters.get(Counter::messages_joined), 1U);
    EXPECT_TRUE(give(1, body, 3));
    EXPECT_TRUE(give(1, body, 0, 5));
    EXPECT_EQ(end.delivered.size(), 1U);
}

TEST_F(FragmentTest, pieces_of_several_fragments_may_overlap) {
    const std::string body = text(6 * kF);
    EXPECT_TRUE(give(1, body, 0, 2));
    EXPECT_TRUE(give(1, body, 3, 3));
    EXPECT_TRUE(give(1, body, 1, 3));
    ASSERT_EQ(end.delivered.size(), 1U);
    EXPECT_EQ(end.delivered[0].payload, body);
}

TEST_F(FragmentTest, a_fence_is_part_of_what_is_divided) {
    const wire::FenceBlock fence(5, 77);
    std::string body(sizeof(fence), ' ');
    std::memcpy(body.data(), &fence, sizeof(fence));
    body += text(kF);
    for (const std::size_t index : {1U, 0U}) {
        EXPECT_TRUE(run(1 + index, piece(body.substr(index * kF, kF), {.total = kF, .index = index, .flags = kFenceFlag})));
    }
    ASSERT_EQ(end.delivered.size(), 1U);
    EXPECT_EQ(end.delivered[0].token, Token{77});
    EXPECT_EQ(end.delivered[0].payload, text(kF));
}

TEST_F(FragmentTest, what_follows_an_unfinished_message_waits_for_it) {
    const std::string body = text(2 * kF);
    EXPECT_TRUE(give(1, body, 1));
    const std::string next = text(3 * kF, 9);
    EXPECT_TRUE(give(3, next, 0, 3));  // whole, in one piece
    EXPECT_TRUE(end.delivered.empty());
    EXPECT_TRUE(give(1, body, 0));
    EXPECT_EQ(end.delivered.size(), 2U);
    EXPECT_EQ(end.delivered[1].payload, next);
    EXPECT_EQ(settled(), Sequence{5});
}

TEST_F(FragmentTest, whatever_its_handler_says_a_message_is_settled_once_with_all_its_sequences) {
    const std::string body = text(3 * kF);
    for (const Disposition said : {Disposition::rejected, Disposition::pending, Disposition::retry_later, Disposition::held}) {
        const std::uint64_t first = settled().value() + 1;
        end.handler = [said](const InboundMessage&) { return said; };
        for (const std::size_t index : {2U, 1U, 0U}) EXPECT_TRUE(give(first, body, index));
        EXPECT_TRUE(give(first + 3, body, 0, 3));
        const bool ends = said == Disposition::rejected;
        EXPECT_EQ(settled().value(), ends ? first + 5 : first - 1);
        end.handler = {};
        if (said == Disposition::pending) {
            const std::uint16_t tag = end.delivered.back().stream_tag;
            EXPECT_EQ(receiver().complete(now, Sequence{first + 1}, tag, Disposition::accepted), Status::not_found);
            EXPECT_EQ(receiver().complete(now, Sequence{first}, tag, Disposition::accepted), Status::ok);
        }
        now += seconds{2};
        if (said == Disposition::retry_later) receiver().on_timeout(now);
        if (said == Disposition::held) receiver().release_held(now);
        EXPECT_EQ(settled().value(), first + 5);
        EXPECT_EQ(end.delivered.back().payload, body);
    }
    EXPECT_EQ(end.inbox.used(), 0U);
}

TEST_F(FragmentTest, one_note_tells_the_outcome_of_a_message) {
    end.handler = [](const InboundMessage&) { return Disposition::rejected; };
    const std::string body = text(3 * kF);
    for (std::uint64_t i = 0; i < LinkSizes<kLong>::notes; ++i) EXPECT_TRUE(give(1 + 3 * i, body, 0, 3));
    EXPECT_EQ(settled().value(), 3 * LinkSizes<kLong>::notes);
    EXPECT_FALSE(receiver().settlements().note_fits());
}

TEST_F(FragmentTest, a_session_that_ends_takes_what_arrived_in_part_with_it) {
    const std::string body = text(4 * kF);
    EXPECT_TRUE(give(1, body, 0, 3));
    EXPECT_EQ(end.inbox.used(), 1U);
    receiver().session_closed();
    EXPECT_EQ(end.inbox.used(), 0U);
    receiver().session_opened(now, StreamId{10}, Sequence{1});
    const std::string name = "t";
    ASSERT_TRUE(
        receiver().on_alias(1, {wire::RecordType::alias_declare, bytes_of(wire::AliasDeclare(7, 0, 0)), std::as_bytes(std::span(name))}));
    const std::string other = text(4 * kF, 5);
    EXPECT_TRUE(give(1, other, 3));
    EXPECT_TRUE(end.delivered.empty());
    EXPECT_TRUE(give(1, other, 0, 3));
    ASSERT_EQ(end.delivered.size(), 1U);
    EXPECT_EQ(end.delivered[0].payload, other);
}

TEST_F(FragmentTest, a_skip_ends_what_arrived_in_part_and_what_never_did_each_with_one_answer) {
    const std::string body = text(4 * kF);
    EXPECT_TRUE(give(1, body, 2));
    EXPECT_TRUE(skip(1, 8, true, 4));
    EXPECT_EQ(settled(), Sequence{8});
    EXPECT_EQ(end.inbox.used(), 0U);
    for (std::size_t index = 0; index < 4; ++index) EXPECT_TRUE(give(1, body, index));
    EXPECT_TRUE(give(5, body, 0, 4));
    EXPECT_TRUE(end.delivered.empty());
    EXPECT_EQ(end.counters.get(Counter::records_malformed), 0U);
    std::vector<std::byte> settlement(600);
    wire::PacketWriter writer{std::span<std::byte>(settlement)};
    ASSERT_TRUE(receiver().settlements().write(4, writer));
    EXPECT_EQ(wire::load<wire::Settlement>(std::span(settlement).subspan(wire::kHeaderBytes + 4)).exception_count(), 2U);
}

TEST_F(FragmentTest, a_skip_that_wants_no_answer_ends_a_message_whichever_part_of_it_comes_first) {
    const std::string body = text(4 * kF);
    EXPECT_TRUE(give(1, body, 0, 2));
    EXPECT_TRUE(skip(3, 2, false));
    EXPECT_EQ(settled(), Sequence{4});
    EXPECT_TRUE(skip(7, 2, false));  // of 5..8, behind a gap
    EXPECT_TRUE(give(5, body, 0, 2));
    EXPECT_TRUE(give(5, body, 2, 2));
    EXPECT_TRUE(skip(5, 2, false));
    EXPECT_EQ(settled(), Sequence{8});
    EXPECT_TRUE(end.delivered.empty());
    EXPECT_EQ(end.inbox.used(), 0U);
}

TEST_F(FragmentTest, a_skip_never_touches_what_a_handler_has) {
    end.handler = [](const InboundMessage&) { return Disposition::pending; };
    const std::string body = text(4 * kF);
    EXPECT_TRUE(give(1, body, 0, 4));
    EXPECT_TRUE(skip(1, 8, true, 4));
    EXPECT_EQ(settled(), Sequence{});
    EXPECT_EQ(receiver().contiguous(), Sequence{8});
    EXPECT_EQ(receiver().complete(now, Sequence{1}, end.delivered[0].stream_tag, Disposition::accepted), Status::ok);
    EXPECT_EQ(settled(), Sequence{8});
}

TEST_F(FragmentTest, what_is_too_long_for_this_node_is_refused_fragment_by_fragment) {
    const std::string body = text(5000);
    ASSERT_EQ(fragments_of(body.size()), 15U);
    EXPECT_TRUE(give(1, body, 3));
    EXPECT_TRUE(give(1, body, 0, 2));
    EXPECT_EQ(settled(), Sequence{2});
    EXPECT_TRUE(skip(3, 13, false));  // as its publisher does, who knows the outcome now
    EXPECT_EQ(settled(), Sequence{15});
    EXPECT_TRUE(give(16, "short", 0));
    EXPECT_EQ(end.delivered.size(), 1U);
    EXPECT_EQ(end.inbox.used(), 0U);
}

TEST_F(FragmentTest, the_shortest_remaining_lifetime_counts_and_one_repeat_marks_the_whole) {
    const std::string body = text(2 * kF);
    end.handler = [](const InboundMessage&) { return Disposition::held; };
    EXPECT_TRUE(run(1, piece(body.substr(0, kF), {.total = body.size(), .lifetime_ms = 100})));
    EXPECT_TRUE(run(2, piece(body.substr(kF), {.total = body.size(), .index = 1, .lifetime_ms = 50, .maybe_repeated = true})));
    ASSERT_EQ(end.delivered.size(), 1U);
    EXPECT_TRUE(end.delivered[0].maybe_repeated);
    receiver().release_held(now + milliseconds{49});
    EXPECT_EQ(end.delivered.size(), 2U);
    receiver().release_held(now + milliseconds{50});
    EXPECT_EQ(end.delivered.size(), 2U);
    EXPECT_EQ(settled(), Sequence{2});
}

TEST_F(FragmentTest, believes_no_fragment_that_makes_no_sense) {
    const std::string bytes = text(kF);
    const auto refused = [&](std::uint64_t place, const std::vector<std::byte>& pieces) {
        const std::uint32_t before = end.counters.get(Counter::records_malformed);
        EXPECT_FALSE(run(place, pieces));
        EXPECT_EQ(end.counters.get(Counter::records_malformed), before + 1);
    };
    refused(1, piece(bytes, {.total = 3 * kF, .index = 1}));            // its first sequence would be 0
    refused(5, piece(bytes, {.total = 3 * kF, .index = 3}));            // past the end
    refused(5, piece(bytes, {.total = 3 * kF, .index = 60'000}));       // far past it
    refused(5, piece(bytes.substr(1), {.total = 3 * kF, .index = 1}));  // short in the midst
    refused(5, piece("", {.total = 3 * kF, .index = 1}));               // nothing
    refused(5, piece(text(2 * kF), {.total = 3 * kF, .index = 2}));     // longer than the message
    refused(70'000, piece(bytes, {.total = 3 * kF, .index = 0}));       // out of any window
    refused(0xffff - 1U, piece(bytes, {.total = 3 * kF, .index = 0}));  // its last sequence is
    auto cut = piece(bytes, {.total = 3 * kF, .index = 1});
    cut.resize(10);
    refused(5, cut);  // the block is not there
    EXPECT_EQ(end.inbox.used(), 0U);

    EXPECT_TRUE(run(11, piece(bytes, {.total = 3 * kF, .index = 1})));  // of 10..12
    refused(10, piece(bytes, {.total = 4 * kF, .index = 0}));           // another length
    refused(10, piece(bytes, {.total = 3 * kF, .index = 0, .alias = 1}));
    refused(10, piece(bytes, {.total = 3 * kF - 16, .index = 0, .flags = kFenceFlag}));
    refused(12, piece(bytes, {.total = 3 * kF, .index = 0}));  // another message, which has a sequence in common
    refused(9, piece(bytes, {.total = 3 * kF, .index = 0}));
    const wire::MessageHead whole(static_cast<std::uint16_t>(1), 0, 0, 0, 0);
    std::vector<std::byte> one(12);
    std::memcpy(one.data(), &whole, sizeof(whole));
    refused(11, one);
    EXPECT_EQ(end.inbox.used(), 1U);
    EXPECT_EQ(end.counters.get(Counter::inbox_full_drops), 0U);
    EXPECT_TRUE(run(10, piece(bytes, {.total = 3 * kF, .index = 0})));
    EXPECT_TRUE(run(12, piece(bytes, {.total = 3 * kF, .index = 2})));
    EXPECT_TRUE(skip(1, 9, false));
    EXPECT_EQ(end.delivered.size(), 1U);
}

}  // namespace
}  // namespace dunlin::link
