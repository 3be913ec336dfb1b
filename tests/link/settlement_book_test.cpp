#include <dunlin/link/settlement_book.hpp>
#include <dunlin/wire/record.hpp>

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <vector>

namespace dunlin::link {
namespace {

struct SettlementBookTest : testing::Test {
    std::array<std::uint64_t, 3> bits{};
    std::array<SettlementNote, 2> notes{};
    SettlementBook book{{bits, notes}};
    std::array<std::byte, 600> buffer{};

    struct Said {
        std::uint64_t cumulative = 0;
        std::uint64_t bitmap = 0;
        std::map<std::uint64_t, int> exceptions;
    };
    Said said(std::uint32_t number) {
        wire::PacketWriter writer{std::span<std::byte>(buffer)};
        EXPECT_TRUE(book.write(number, {}, writer));
        Said said;
        auto rest = std::span<const std::byte>(buffer).subspan(44, writer.size() - 44);
        wire::Settlement fixed;
        EXPECT_TRUE(take(rest, fixed));
        said.cumulative = fixed.cumulative();
        if (fixed.bitmap_words() > 0) std::memcpy(&said.bitmap, rest.data(), 8);
        rest = rest.subspan(fixed.bitmap_words() * 8U);
        for (int i = 0; i < fixed.exception_count(); ++i) {
            wire::SettlementException exception;
            EXPECT_TRUE(take(rest, exception));
            said.exceptions[exception.sequence()] = exception.outcome();
        }
        return said;
    }
    static SentPacket told_in(std::uint32_t number) {
        SentPacket packet;
        packet.number_low = number;
        packet.settlement = true;
        return packet;
    }
};

TEST_F(SettlementBookTest, says_nothing_before_it_knows_a_stream) {
    book.session_opened();
    EXPECT_FALSE(book.owed());
    book.start(StreamId{1}, Sequence{4});
    EXPECT_TRUE(book.owed());
    EXPECT_EQ(said(1).cumulative, 4U);
    EXPECT_FALSE(book.owed());
}

TEST_F(SettlementBookTest, repeats_a_note_until_a_packet_that_told_it_is_acknowledged) {
    book.start(StreamId{1}, Sequence{0});
    book.settle(Sequence{1}, Outcome::rejected, Effect::unknown);
    EXPECT_EQ(said(1).exceptions, (std::map<std::uint64_t, int>{{1, 3}}));
    book.settle(Sequence{2}, Outcome::acknowledged, Effect::none);
    EXPECT_EQ(said(2).exceptions.size(), 1U);
    EXPECT_FALSE(book.on_packet_acked(told_in(1)));  // told again since: the ack of the later one will do
    EXPECT_TRUE(book.on_packet_acked(told_in(2)));
    const Said last = said(3);
    EXPECT_TRUE(last.exceptions.empty());
    EXPECT_EQ(last.cumulative, 2U);
}

TEST_F(SettlementBookTest, an_ack_of_another_session_frees_no_note) {
    book.start(StreamId{1}, Sequence{0});
    book.settle(Sequence{1}, Outcome::fenced, Effect::none);
    (void)said(7);
    book.session_opened();
    EXPECT_FALSE(book.on_packet_acked(told_in(7)));
    EXPECT_EQ(said(1).exceptions.size(), 1U);
}

TEST_F(SettlementBookTest, has_room_for_a_number_of_notes) {
    book.start(StreamId{1}, Sequence{0});
    book.settle(Sequence{1}, Outcome::fenced, Effect::none);
    EXPECT_TRUE(book.note_fits());
    book.settle(Sequence{3}, Outcome::fenced, Effect::none);
    EXPECT_FALSE(book.note_fits());
    book.raise(Sequence{2});
    EXPECT_TRUE(book.note_fits());
    EXPECT_EQ(said(1).exceptions, (std::map<std::uint64_t, int>{{3, 4}}));
}

TEST_F(SettlementBookTest, with_a_journal_says_only_what_is_durable) {
    book.set_journalled(true);
    book.start(StreamId{1}, Sequence{0});
    book.settle(Sequence{1}, Outcome::acknowledged, Effect::none);
    book.settle(Sequence{3}, Outcome::rejected, Effect::unknown);
    EXPECT_TRUE(book.dirty());
    EXPECT_EQ(said(1).cumulative, 0U);
    book.appended(JournalSequence{5});
    EXPECT_FALSE(book.dirty());
    book.settle(Sequence{2}, Outcome::acknowledged, Effect::none);
    EXPECT_FALSE(book.dirty());  // one record at a time
    book.on_durable(JournalSequence{4});
    EXPECT_FALSE(book.owed());
    book.on_durable(JournalSequence{5});
    EXPECT_TRUE(book.owed());
    EXPECT_TRUE(book.dirty());
    const Said durable = said(2);
    EXPECT_EQ(durable.cumulative, 1U);
    EXPECT_EQ(durable.bitmap, 2U);
    EXPECT_EQ(durable.exceptions.size(), 1U);
    book.appended(JournalSequence{6});
    book.on_durable(JournalSequence{6});
    EXPECT_EQ(said(3).cumulative, 3U);
}

TEST_F(SettlementBookTest, a_record_on_its_way_counts_for_nothing_after_the_stream_changed) {
    book.set_journalled(true);
    book.start(StreamId{1}, Sequence{0});
    book.settle(Sequence{1}, Outcome::acknowledged, Effect::none);
    book.appended(JournalSequence{5});
    book.start(StreamId{2}, Sequence{0});
    book.on_durable(JournalSequence{5});
    EXPECT_EQ(said(1).cumulative, 0U);
}

TEST_F(SettlementBookTest, comes_back_from_its_record_with_everything_it_may_still_have_to_say) {
    book.set_journalled(true);
    book.start(StreamId{1}, Sequence{0xffff'fffeU});
    book.settle(Sequence{0xffff'ffffU}, Outcome::rejected, Effect::unknown);
    book.settle(Sequence{0x1'0000'0003U}, Outcome::acknowledged, Effect::none);
    std::vector<std::byte> record(watermark_bytes_max(64, 2));
    record.resize(book.encode(NodeId{9}, record));
    EXPECT_EQ(watermark_publisher(record), NodeId{9});

    std::array<std::uint64_t, 3> other_bits{};
    std::array<SettlementNote, 2> other_notes{};
    SettlementBook other({other_bits, other_notes});
    other.set_journalled(true);
    ASSERT_TRUE(other.restore(record));
    EXPECT_EQ(other.stream(), StreamId{1});
    EXPECT_FALSE(other.dirty());
    EXPECT_TRUE(other.live().contains(Sequence{0x1'0000'0003U}));
    EXPECT_FALSE(other.live().contains(Sequence{0x1'0000'0002U}));
    std::vector<std::byte> again(watermark_bytes_max(64, 2));
    again.resize(other.encode(NodeId{9}, again));
    EXPECT_EQ(again, record);
    book.appended(JournalSequence{1});
    book.on_durable(JournalSequence{1});
    book.settle(Sequence{0x1'0000'0000U}, Outcome::acknowledged, Effect::none);
    EXPECT_EQ(said(1).exceptions, (std::map<std::uint64_t, int>{{0xffff'ffffU, 3}}));
}

TEST_F(SettlementBookTest, refuses_a_record_that_makes_no_sense) {
    book.start(StreamId{1}, Sequence{0});
    book.settle(Sequence{2}, Outcome::rejected, Effect::none);
    std::vector<std::byte> record(watermark_bytes_max(64, 2));
    record.resize(book.encode(NodeId{9}, record));
    for (std::size_t length = 0; length < record.size(); ++length) {
        EXPECT_EQ(watermark_publisher(std::span(record).first(length)), NodeId{}) << length;
        EXPECT_FALSE(book.restore(std::span(record).first(length))) << length;
    }
    auto outcome = record;
    outcome[24 + 8 + 4] = std::byte{9};
    EXPECT_FALSE(book.restore(outcome));
    auto stream = record;
    stream[0] = std::byte{0};
    EXPECT_FALSE(book.restore(stream));
    EXPECT_TRUE(book.restore(record));
}

TEST_F(SettlementBookTest, writes_nothing_where_not_everything_fits) {
    book.start(StreamId{1}, Sequence{0});
    book.settle(Sequence{2}, Outcome::rejected, Effect::none);
    wire::PacketWriter writer{std::span<std::byte>(buffer).first(40 + 4 + 24 + 8 + 12)};
    EXPECT_FALSE(book.write(1, {}, writer));
    EXPECT_TRUE(writer.empty());
    EXPECT_TRUE(book.owed());
}

}  // namespace
}  // namespace dunlin::link
