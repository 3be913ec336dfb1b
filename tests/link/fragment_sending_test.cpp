#include <link/fragment_lane.hpp>

namespace dunlin::link {
namespace {

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
    sender().on_packet_acked(now, packets[0]);
    sender().on_packet_lost(now, packets[1]);
    ASSERT_TRUE(sender().wants_to_send());
    (void)write(1200);
    EXPECT_EQ(sent.range_first(0), packets[1].range_first(0));
    EXPECT_EQ(sent.range_count(0), 3);
    EXPECT_FALSE(sender().wants_to_send());
    sender().on_packet_lost(now, packets[0]);  // it was acknowledged: the peer has it
    EXPECT_FALSE(sender().wants_to_send());
    sender().probe_first(now);  // the first fragment whose fate is open
    (void)write(1200);
    EXPECT_EQ(sent.range_first(0), packets[1].range_first(0));
    EXPECT_EQ(sent.range_count(0), 1);
}

TEST_F(FragmentTest, a_new_session_sends_all_fragments_again_and_the_peer_may_acknowledge_them_all_at_once) {
    declare_alias();
    (void)end.publish(now, text(5 * kF));
    while (sender().wants_to_send()) {
        (void)write(1200);
        sender().on_packet_acked(now, sent);
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
    sender().on_packet_lost(now, asked);
    EXPECT_FALSE(sender().owes_skips()) << "the peer may have had no room for it";
    now += milliseconds{20};
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

}  // namespace
}  // namespace dunlin::link
