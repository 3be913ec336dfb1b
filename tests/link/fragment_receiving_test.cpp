#include <link/fragment_lane.hpp>

namespace dunlin::link {
namespace {

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
    ASSERT_TRUE(receiver().settlements().write(4, {}, writer));
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
