#include <link/endpoint.hpp>

#include <gtest/gtest.h>
#include <wire/hex.hpp>

#include <cstring>

namespace dunlin::link {
namespace {

// A lane on its own: records by hand, no session.
struct LaneTest : testing::Test {
    Instant now{seconds{1}};
    Endpoint end{NodeId{1}, 7};
    LaneSender& sender() { return end.link->sender(); }
    LaneReceiver& receiver() { return end.link->receiver(); }
    std::vector<std::byte> packet;
    SentPacket sent;

    void SetUp() override {
        sender().set_stream(StreamId{5});
        sender().session_opened(now, true);
    }
    // Writes what is due into a packet of `bytes`; the records of it.
    std::string write(std::size_t bytes = 1200, std::uint64_t number = 1) {
        packet.assign(bytes, std::byte{});
        sent = {};
        wire::PacketWriter writer{std::span<std::byte>(packet)};
        (void)sender().write_skips(writer, sent);
        (void)sender().write(now, PacketNumber{number}, bytes, writer, sent);
        sent.number_low = static_cast<std::uint32_t>(number);
        packet.resize(writer.size());
        return test::to_hex(std::span(packet).subspan(wire::kHeaderBytes));
    }
    bool settle(std::uint64_t cumulative, std::uint64_t bitmap = 0, const std::vector<wire::SettlementException>& exceptions = {},
                std::uint64_t stream = 5) {
        std::vector<std::byte> bytes(8 + exceptions.size() * 16);
        std::memcpy(bytes.data(), &bitmap, 8);
        if (!exceptions.empty()) std::memcpy(bytes.data() + 8, exceptions.data(), exceptions.size() * 16);
        const wire::Settlement fixed(stream, cumulative, 0, static_cast<std::uint8_t>(exceptions.size()), 1, 0, 0);
        return sender().on_settlement({wire::RecordType::settlement, bytes_of(fixed), bytes});
    }
    bool receive_run(std::uint64_t first, const std::vector<std::byte>& messages, std::uint16_t count) {
        const wire::Run run(first, 1, 0, 0, count, 0);
        return receiver().on_run(now, 1, {wire::RecordType::run, bytes_of(run), messages});
    }
    void open_receiver() {
        receiver().set_publisher(NodeId{2});
        receiver().session_opened(now, StreamId{9}, Sequence{1});
        const wire::AliasDeclare alias(7, 0, 0);
        const std::string name = "t";
        ASSERT_TRUE(receiver().on_alias(1, {wire::RecordType::alias_declare, bytes_of(alias), std::as_bytes(std::span(name))}));
    }
    static std::vector<std::byte> message(const std::string& payload, std::uint8_t flags = 0, std::uint16_t alias = 0) {
        const wire::MessageHead head(static_cast<std::uint16_t>(payload.size()), alias, 0, 0, flags);
        std::vector<std::byte> bytes(8 + (payload.size() + 3) / 4 * 4);
        std::memcpy(bytes.data(), &head, 8);
        if (!payload.empty()) std::memcpy(bytes.data() + 8, payload.data(), payload.size());
        return bytes;
    }
};

TEST_F(LaneTest, a_run_on_the_wire) {
    (void)end.publish(now, "abc", {.topic = "valve/open", .lifetime = milliseconds{100'000}, .token = Token{0x21}});
    (void)end.publish(now, "de", {.topic = "valve/open"});
    EXPECT_EQ(write(),
              // alias_declare 0 = subscription 7 of valve/open
              "16001308"
              "07000000"
              "00000000"
              "76616c76652f6f70656e0000"
              // run: head, first sequence 1, Lamport time 1, lane 0, 2 messages
              "44001018"
              "0100000000000000"
              "0100000000000000"
              "0000"
              "0200"
              "00000000"
              // 3 bytes, alias 0, 50000 x 2 ms, fenced; lease 5, token 0x21; payload
              "0300"
              "0000"
              "50c3"
              "01"
              "01"
              "0500000000000000"
              "2100000000000000"
              "61626300"
              // 2 bytes, alias 0, no lifetime, no flags; payload
              "0200"
              "0000"
              "0000"
              "00"
              "00"
              "64650000");
}

TEST_F(LaneTest, a_settlement_on_the_wire) {
    open_receiver();
    end.handler = [](const InboundMessage& message) {
        return message.sequence == Sequence{2} ? Disposition::pending : Disposition::rejected;
    };
    std::vector<std::byte> bytes;
    for (const char* payload : {"a", "b"}) {
        const auto one = message(payload);
        bytes.insert(bytes.end(), one.begin(), one.end());
    }
    EXPECT_TRUE(receive_run(1, bytes, 2));
    end.handler = {};
    const auto other = wire::AliasDeclare(8, 1, 0);
    const std::string name = "u";
    ASSERT_TRUE(receiver().on_alias(1, {wire::RecordType::alias_declare, bytes_of(other), std::as_bytes(std::span(name))}));
    EXPECT_TRUE(receive_run(3, message("c", 0, 1), 1));
    packet.assign(600, std::byte{});
    wire::PacketWriter writer{std::span<std::byte>(packet)};
    ASSERT_TRUE(receiver().settlements().write(4, {}, writer));
    packet.resize(writer.size());
    EXPECT_EQ(test::to_hex(std::span(packet).subspan(wire::kHeaderBytes)),
              // stream 9, settled up to 1, lane 0, 1 exception, 1 word
              "34001118"
              "0900000000000000"
              "0100000000000000"
              "00"
              "01"
              "0100"
              "00000000"
              // 3 is settled, 2 is not
              "0200000000000000"
              // 1 was rejected, its effect is unknown
              "0100000000000000"
              "03"
              "01"
              "0000"
              "00000000");
}

TEST_F(LaneTest, a_watermark_in_the_journal) {
    open_receiver();
    EXPECT_TRUE(receive_run(1, message("a"), 1));
    std::vector<std::byte> record(LinkSizes<kTestLimits>::watermark_bytes);
    record.resize(receiver().encode_watermark(record));
    EXPECT_EQ(test::to_hex(record),
              "0900000000000000"
              "0100000000000000"
              "0200"
              "0000"
              "0000"
              "0000");
}

TEST_F(LaneTest, believes_no_settlement_that_makes_no_sense) {
    (void)end.publish(now, "1");
    (void)end.publish(now, "2");
    (void)write();
    EXPECT_FALSE(settle(3));
    EXPECT_FALSE(settle(0, 0, {wire::SettlementException(1, 1, 0, 0, 0)}));
    EXPECT_FALSE(settle(0, 0, {wire::SettlementException(1, 9, 0, 0, 0)}));
    const wire::Settlement longer(5, 0, 0, 0, 2, 0, 0);
    EXPECT_FALSE(sender().on_settlement({wire::RecordType::settlement, bytes_of(longer), std::vector<std::byte>(8)}));
    const wire::Settlement lane(5, 0, 1, 0, 0, 0, 0);
    EXPECT_FALSE(sender().on_settlement({wire::RecordType::settlement, bytes_of(lane), {}}));
    EXPECT_EQ(end.counters.get(Counter::records_malformed), 5U);
    EXPECT_TRUE(settle(2, 0, {}, 6));                                             // of another stream: no error, and no effect
    EXPECT_TRUE(settle(0, 0xfffc, {wire::SettlementException(77, 3, 0, 0, 0)}));  // beyond what was numbered
    EXPECT_TRUE(end.outcomes().empty());
    EXPECT_TRUE(settle(2));
    EXPECT_EQ(end.outcomes().size(), 2U);
    EXPECT_TRUE(settle(1));  // an older one came late
    EXPECT_TRUE(end.outcomes().empty());
}

TEST_F(LaneTest, does_not_believe_that_the_peer_settled_what_was_never_sent) {
    (void)end.publish(now, "1", {.gate = JournalSequence{9}});
    EXPECT_TRUE(settle(1));
    EXPECT_TRUE(end.outcomes().empty());
    end.self.durable = JournalSequence{9};
    (void)write();
    EXPECT_TRUE(settle(1));
    EXPECT_EQ(end.outcomes().size(), 1U);
}

TEST_F(LaneTest, sends_again_only_what_the_lost_packet_carried) {
    for (int i = 1; i <= 4; ++i) (void)end.publish(now, std::string(340, 'x'));
    (void)write();
    const SentPacket first = sent;
    (void)write(1200, 2);
    EXPECT_FALSE(sender().wants_to_send());
    sender().on_packet_lost(now, first);
    EXPECT_TRUE(sender().wants_to_send());
    (void)write(1200, 3);
    EXPECT_EQ(sent.range_first(0), first.range_first(0));
    EXPECT_EQ(sent.range_count(0), 3);
    EXPECT_EQ(end.counters.get(Counter::messages_resent), 3U);
    // The first packet arrives after all, then its messages are lost once more: the peer has them.
    sender().on_packet_acked(now, first);
    sender().on_packet_lost(now, sent);
    EXPECT_FALSE(sender().wants_to_send());
}

TEST_F(LaneTest, the_latest_delivery_can_be_taken_back) {
    const auto first = end.publish(now, "1");
    const auto second = end.publish(now, "2");
    sender().retract(*second);
    end.outbox.abandon(end.outbox.delivery(*second).message);
    sender().retract(*first);
    end.outbox.abandon(end.outbox.delivery(*first).message);
    EXPECT_EQ(sender().next(), Sequence{1});
    EXPECT_FALSE(sender().wants_to_send());
    EXPECT_TRUE(end.publish(now, "3"));
    EXPECT_TRUE(sender().wants_to_send());
}

TEST_F(LaneTest, outcomes_from_before_a_restart_leave_holes_that_are_skipped_or_stated_by_the_next_hello) {
    const auto restored = [&](std::uint64_t sequence) {
        const auto message = end.outbox.put({.topic = end.intern("t")});
        const auto delivery = end.outbox.add_delivery(message.value(), PeerIndex{0}, NodeId{2}, kDurable);
        EXPECT_EQ(sender().restore(now, delivery.value(), Sequence{sequence}), Status::ok);
        EXPECT_EQ(sender().sequence_of(delivery.value()), Sequence{sequence});
        return delivery.value();
    };
    const std::uint16_t first = restored(10);
    (void)restored(11);
    const std::uint16_t third = restored(12);
    (void)restored(15);
    for (const std::uint16_t delivery : {third, first}) {
        sender().remove(delivery);
        end.outbox.drop(delivery);
    }
    EXPECT_EQ(end.outbox.messages_used(), 2U);
    EXPECT_EQ(sender().first_unsettled(), Sequence{11});
    EXPECT_EQ(sender().restore_next(Sequence{11 + kTestLimits.deliveries + 1U}), Status::busy);
    EXPECT_EQ(sender().restore_next(Sequence{17}), Status::ok);
    EXPECT_EQ(sender().restore_next(Sequence{5}), Status::ok);
    EXPECT_EQ(sender().next(), Sequence{17});
    // Two skips, which ask for no answer, one a packet: 12 to 14, and 16. They wait for what comes before them.
    EXPECT_FALSE(sender().owes_skips());
    (void)write();
    sender().on_packet_acked(now, sent);
    EXPECT_EQ(write().substr(0, 40),
              "14001210"
              "0c00000000000000"
              "03000000"
              "00"
              "00"
              "0000");
    EXPECT_EQ(write().substr(0, 40),
              "14001210"
              "1000000000000000"
              "01000000"
              "00"
              "00"
              "0000");
}

TEST_F(LaneTest, what_was_settled_after_a_hello_stated_it_is_skipped_in_the_session_until_the_peer_says_so) {
    (void)end.publish(now, "1");
    (void)end.publish(now, "2");
    (void)write();
    EXPECT_EQ(sender().first_unsettled(), Sequence{1});
    sender().note_stated();
    EXPECT_TRUE(settle(2));
    sender().session_opened(now, false);
    const std::string skip =
        "14001210"
        "0100000000000000"
        "02000000"
        "00"
        "00"
        "0000";
    EXPECT_TRUE(sender().owes_skips());
    EXPECT_EQ(write(1200, 2), skip);
    EXPECT_FALSE(sender().owes_skips());
    sender().on_packet_lost(now, sent);
    EXPECT_TRUE(sender().owes_skips());
    EXPECT_EQ(write(1200, 3), skip);
    EXPECT_TRUE(settle(2));
    sender().on_packet_lost(now, sent);
    EXPECT_FALSE(sender().owes_skips());
}

TEST_F(LaneTest, believes_no_run_that_makes_no_sense) {
    open_receiver();
    EXPECT_FALSE(receive_run(0, message("a"), 1));
    EXPECT_FALSE(receive_run(~std::uint64_t{0}, message("a"), 2));
    EXPECT_FALSE(receive_run(70'000, message("a"), 1));
    EXPECT_FALSE(receive_run(1, message("a"), 2));
    EXPECT_FALSE(receive_run(2, message("a", 2), 1));  // an explicit key: not known yet
    EXPECT_FALSE(receive_run(2, message("a", 1), 1));  // a fence block that is not there
    auto cut = message("abcdefgh");
    cut.resize(12);
    EXPECT_FALSE(receive_run(2, cut, 1));
    EXPECT_EQ(end.counters.get(Counter::records_malformed), 7U);
    EXPECT_FALSE(receive_run(2, message("a", 0, 3), 1));  // an alias never declared
    EXPECT_EQ(end.delivered.size(), 1U);
}

TEST_F(LaneTest, a_message_too_long_for_this_node_ends_as_rejected) {
    open_receiver();
    EXPECT_TRUE(receive_run(5, message(std::string(1050, 'x')), 1));  // of four fragments each
    EXPECT_TRUE(receive_run(1, message(std::string(1050, 'x')), 1));
    EXPECT_TRUE(end.delivered.empty());
    EXPECT_EQ(receiver().settlements().live().cumulative(), Sequence{8});
    EXPECT_EQ(end.inbox.used(), 0U);
}

TEST_F(LaneTest, what_expired_while_it_was_held_is_not_handed_over) {
    open_receiver();
    end.handler = [](const InboundMessage&) { return Disposition::held; };
    auto bytes = message("a");
    const wire::MessageHead head(1, 0, 50, 0, 0);  // 50 ms
    std::memcpy(bytes.data(), &head, sizeof(head));
    EXPECT_TRUE(receive_run(1, bytes, 1));
    EXPECT_EQ(end.delivered.size(), 1U);
    receiver().release_held(now + milliseconds{49});
    EXPECT_EQ(end.delivered.size(), 2U);
    receiver().release_held(now + milliseconds{50});
    EXPECT_EQ(end.delivered.size(), 2U);
    EXPECT_TRUE(receiver().settlements().live().contains(Sequence{1}));
    EXPECT_EQ(end.inbox.used(), 0U);
}

TEST_F(LaneTest, a_lifetime_longer_than_time_itself_never_ends) {
    open_receiver();
    end.handler = [](const InboundMessage&) { return Disposition::held; };
    auto bytes = message("a");
    std::uint64_t sequence = 0;
    const auto offered_last = [&](std::uint16_t units, std::uint8_t shift, Instant at) {
        const wire::MessageHead head(1, 0, units, shift, 0);
        std::memcpy(bytes.data(), &head, sizeof(head));
        EXPECT_TRUE(receive_run(++sequence, bytes, 1));
        const std::size_t before = end.delivered.size();
        receiver().release_held(at);
        const bool offered = end.delivered.size() > before;
        if (offered) {
            end.handler = [](const InboundMessage&) { return Disposition::accepted; };
            receiver().release_held(now);
            end.handler = [](const InboundMessage&) { return Disposition::held; };
        }
        return offered;
    };
    const Instant end_of_37 = now + milliseconds{std::int64_t{0xffff} << 37};
    EXPECT_TRUE(offered_last(0xffff, 37, end_of_37 - microseconds{1}));
    EXPECT_FALSE(offered_last(0xffff, 37, end_of_37));
    EXPECT_TRUE(offered_last(0xffff, 38, kNever - microseconds{1}));
    EXPECT_TRUE(offered_last(0xffff, 39, kNever - microseconds{1}));
    EXPECT_EQ(end.counters.get(Counter::records_malformed), 0U);
    EXPECT_FALSE(receive_run(
        sequence + 1,
        [&] {
            const wire::MessageHead head(1, 0, 1, 40, 0);
            std::memcpy(bytes.data(), &head, sizeof(head));
            return bytes;
        }(),
        1));
    EXPECT_EQ(end.counters.get(Counter::records_malformed), 1U);
}

TEST_F(LaneTest, a_probe_starts_with_the_first_message_whose_fate_is_open) {
    for (int i = 1; i <= 4; ++i) (void)end.publish(now, std::string(500, 'x'));
    (void)write(1200, 1);
    const SentPacket first = sent;
    (void)write(1200, 2);
    const SentPacket second = sent;
    sender().on_packet_lost(now, first);
    (void)write(1200, 3);  // the first two again
    sender().on_packet_lost(now, second);
    sender().probe_first(now);
    (void)write(1200, 4);
    EXPECT_EQ(sent.range_first(0), 1U);
}

TEST_F(LaneTest, what_was_settled_past_a_gap_in_an_earlier_life_is_not_handed_over_again) {
    open_receiver();
    end.handler = [](const InboundMessage& message) {
        return message.sequence == Sequence{1} ? Disposition::pending : Disposition::accepted;
    };
    EXPECT_TRUE(receive_run(1, message("a"), 1));
    const wire::AliasDeclare other(8, 1, 0);
    const std::string name = "u";
    ASSERT_TRUE(receiver().on_alias(1, {wire::RecordType::alias_declare, bytes_of(other), std::as_bytes(std::span(name))}));
    EXPECT_TRUE(receive_run(2, message("b", 0, 1), 1));
    std::vector<std::byte> record(LinkSizes<kTestLimits>::watermark_bytes);
    record.resize(receiver().encode_watermark(record));

    Endpoint second{NodeId{1}, 8};
    LaneReceiver& restored = second.link->receiver();
    ASSERT_TRUE(restored.restore_watermark(record));
    restored.session_opened(now, StreamId{9}, Sequence{1});
    ASSERT_TRUE(
        restored.on_alias(1, {wire::RecordType::alias_declare, bytes_of(wire::AliasDeclare(7, 0, 0)), std::as_bytes(std::span(name))}));
    std::vector<std::byte> both = message("b");
    const wire::Run late(2, 1, 0, 0, 1, 0);
    EXPECT_TRUE(restored.on_run(now, 1, {wire::RecordType::run, bytes_of(late), both}));
    EXPECT_EQ(restored.share().slots, 0U);
    const wire::Run first(1, 1, 0, 0, 1, 0);
    EXPECT_TRUE(restored.on_run(now, 2, {wire::RecordType::run, bytes_of(first), message("a")}));
    EXPECT_EQ(second.delivered.size(), 1U);
    EXPECT_EQ(restored.settlements().live().cumulative(), Sequence{2});
}

TEST_F(LaneTest, skips_settle_what_was_never_seen_and_never_touch_what_a_handler_has) {
    open_receiver();
    end.handler = [](const InboundMessage&) { return Disposition::pending; };
    EXPECT_TRUE(receive_run(2, message("b"), 1));
    EXPECT_TRUE(receive_run(1, message("a"), 1));
    const wire::Skip skip(1, 4, 0, 1, 0);
    EXPECT_TRUE(receiver().on_skip(now, {wire::RecordType::skip, bytes_of(skip), {}}));
    EXPECT_EQ(receiver().contiguous(), Sequence{4});
    EXPECT_FALSE(receiver().settlements().live().contains(Sequence{1}));
    EXPECT_TRUE(receiver().settlements().live().contains(Sequence{2}));
    EXPECT_TRUE(receiver().settlements().live().contains(Sequence{4}));
    // The skipped messages may still arrive: they are duplicates now.
    EXPECT_TRUE(receive_run(3, message("c"), 1));
    EXPECT_EQ(end.delivered.size(), 1U);
    const wire::Skip senseless(1, 0, 0, 0, 0);
    EXPECT_FALSE(receiver().on_skip(now, {wire::RecordType::skip, bytes_of(senseless), {}}));
}

}  // namespace
}  // namespace dunlin::link
