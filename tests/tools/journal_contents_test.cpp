#include <dunlin/consensus/journal_records.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/ledger/commands.hpp>
#include <dunlin/link/settlement_book.hpp>
#include <dunlin/node/records.hpp>

#include <gtest/gtest.h>
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <journal_contents.hpp>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace dunlin_tool;
using dunlin::Status;
using dunlin::journal::RecordKind;

class JournalContentsTest : public ::testing::Test {
  protected:
    Status add_bytes(RecordKind kind, std::span<const std::byte> bytes) {
        return replay(contents_, {.sequence = {}, .bytes = bytes, .kind = kind});
    }
    template <class Head>
    Status add(RecordKind kind, const Head& head, std::string_view rest = {}) {
        std::vector<std::byte> bytes(sizeof head + rest.size());
        std::memcpy(bytes.data(), &head, sizeof head);
        std::ranges::copy(std::as_bytes(std::span(rest)), bytes.begin() + sizeof head);
        return add_bytes(kind, bytes);
    }
    Status publish(std::uint64_t id) {
        dunlin::bus::OutboxPutRecord record{};
        record.publish = id;
        record.payload_bytes = 2;
        record.topic_bytes = 1;
        return add(RecordKind::outbox_put, record, "tpp");
    }
    Status deliver(std::uint64_t id, std::uint16_t node) {
        dunlin::bus::OutboxDeliveryRecord record{};
        record.publish = id;
        record.node = node;
        return add(RecordKind::outbox_delivery, record);
    }
    Status done(std::uint64_t id, std::uint16_t node, std::uint8_t outcome) {
        return add(RecordKind::outbox_done, dunlin::bus::OutboxDoneRecord{id, 0, node, outcome, 0});
    }
    Status key(std::uint64_t low, std::uint16_t slot, std::int64_t remaining_us) {
        return add(RecordKind::explicit_key, dunlin::bus::KeyRecord{0, low, remaining_us, 0, slot, 0, 0});
    }
    Status void_of(std::uint16_t publisher) { return add(RecordKind::watermark_void, dunlin::WatermarkVoidRecord{publisher, 0, 0}); }
    Status entry(std::uint64_t index, std::uint64_t term, std::uint64_t commit = 0) {
        return add(RecordKind::log_entry, dunlin::consensus::LogEntryRecord{.index = index, .term = term, .commit = commit, .type = 2});
    }

    Status change(std::uint64_t index, dunlin::consensus::ChangeOp op, std::uint16_t node, std::string_view address = {}) {
        const dunlin::consensus::ConfigChange change{
            .storage = node * 11U, .node = node, .op = static_cast<std::uint8_t>(op), .reserved0 = 0, .reserved1 = 0};
        const dunlin::ledger::CommandHead head{1, 1, 7, static_cast<std::uint8_t>(dunlin::ledger::CommandType::member), 0, 0};
        std::string rest(sizeof change + sizeof head, ' ');
        std::memcpy(rest.data(), &change, sizeof change);
        std::memcpy(rest.data() + sizeof change, &head, sizeof head);
        return add(RecordKind::log_entry, dunlin::consensus::LogEntryRecord{.index = index, .term = index, .type = 5},
                   rest.append(address));
    }

    JournalContents contents_;
};

TEST_F(JournalContentsTest, a_message_stays_until_each_outcome_was_told) {
    ASSERT_EQ(publish(7), Status::ok);
    ASSERT_EQ(deliver(7, 1), Status::ok);
    ASSERT_EQ(deliver(7, 2), Status::ok);
    EXPECT_EQ(deliver(8, 1), Status::corrupt);  // of no message
    ASSERT_EQ(done(7, 1, 1), Status::ok);
    EXPECT_TRUE((contents_.outbox.at(7).at({1, 0}).outcome_known));
    EXPECT_FALSE((contents_.outbox.at(7).at({2, 0}).outcome_known));
    ASSERT_EQ(done(7, 1, 0), Status::ok);
    EXPECT_EQ(contents_.outbox.at(7).size(), 1U);
    ASSERT_EQ(done(7, 2, 0), Status::ok);
    EXPECT_TRUE(contents_.outbox.empty());
    EXPECT_EQ(done(7, 2, 0), Status::ok);  // a checkpoint may have left it out
}

TEST_F(JournalContentsTest, a_key_has_one_slot_and_counts_once_a_position_follows) {
    ASSERT_EQ(key(10, 0, 500), Status::ok);
    ASSERT_EQ(key(11, 1, 600), Status::ok);
    EXPECT_EQ(contents_.unconfirmed_keys.size(), 2U);
    ASSERT_EQ(add(RecordKind::position, dunlin::bus::position_record(dunlin::bus::PositionSlot::receive, 99)), Status::ok);
    EXPECT_TRUE(contents_.unconfirmed_keys.empty());
    ASSERT_EQ(key(10, 0, 400), Status::ok);
    EXPECT_EQ(contents_.keys.at(0).remaining_us, 500);
    ASSERT_EQ(key(12, 0, 700), Status::ok);  // 10 had run out
    ASSERT_EQ(key(11, 5, 300), Status::ok);  // moved
    EXPECT_EQ(contents_.keys.size(), 2U);
    EXPECT_EQ(contents_.key_slots.size(), 2U);
    EXPECT_FALSE(contents_.keys.contains(1));
    EXPECT_EQ(key(13, 0, 0), Status::corrupt);
}

TEST_F(JournalContentsTest, an_entry_replaces_what_was_at_its_index_and_behind_it) {
    for (std::uint64_t index = 1; index <= 4; ++index) ASSERT_EQ(entry(index, 1), Status::ok);
    EXPECT_EQ(entry(6, 1), Status::corrupt);  // 5 is missing
    ASSERT_EQ(entry(2, 3, 1), Status::ok);
    EXPECT_EQ(contents_.replica.last_index(), 2U);
    EXPECT_EQ(contents_.replica.last_term(), 3U);
    EXPECT_EQ(contents_.replica.commit, 1U);
    EXPECT_EQ(entry(3, 2), Status::corrupt);  // terms never go back
}

TEST_F(JournalContentsTest, members_are_what_the_entries_say_that_are_left_in_the_log) {
    using dunlin::consensus::ChangeOp;
    ASSERT_EQ(change(1, ChangeOp::add_learner, 4, "there"), Status::ok);
    ASSERT_EQ(change(2, ChangeOp::promote, 4), Status::ok);
    ASSERT_EQ(change(3, ChangeOp::remove, 4), Status::ok);
    EXPECT_TRUE(contents_.replica.members().empty());
    ASSERT_EQ(entry(3, 4), Status::ok);  // in its place
    const auto members = contents_.replica.members();
    ASSERT_EQ(members.size(), 1U);
    EXPECT_EQ(members[0].storage, 44U);
    EXPECT_EQ(members[0].address_length, 5U);
    EXPECT_EQ(members[0].flags, dunlin::ledger::kMemberVoter);
    EXPECT_EQ(change(4, static_cast<ChangeOp>(9), 4), Status::unsupported_version);
}

TEST_F(JournalContentsTest, what_was_settled_of_a_publisher_is_forgotten_where_its_place_was_given_away) {
    const dunlin::link::WatermarkHead head{.stream = 5, .cumulative = 9, .publisher = 3};
    ASSERT_EQ(add(RecordKind::watermark, head), Status::ok);
    EXPECT_EQ((contents_.watermarks.at({3, 0}).settled_through), dunlin::Sequence{9});
    ASSERT_EQ(void_of(4), Status::ok);
    EXPECT_EQ(contents_.watermarks.size(), 1U);
    ASSERT_EQ(void_of(3), Status::ok);
    EXPECT_TRUE(contents_.watermarks.empty());
}

TEST_F(JournalContentsTest, a_snapshot_is_taken_in_pieces_and_the_log_begins_behind_it) {
    constexpr dunlin::LedgerLimits kLimits{};
    std::vector<std::byte> bytes(dunlin::ledger::image_bytes(kLimits));
    dunlin::ledger::Image image(bytes, kLimits);
    image.clear();
    image.header().applied_index = 40;
    image.header().applied_term = 3;
    image.store(1, dunlin::ledger::LeaseRow{12, 0, 0, 0, 5, dunlin::ledger::row_name("crane")});
    image.store(0, dunlin::ledger::voter_row(dunlin::NodeId{2}, dunlin::StorageId{77}, {}));
    image.seal();
    const auto chunk = [&](std::size_t from, std::size_t to) {
        const dunlin::ImageChunkRecord head{static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(bytes.size())};
        return add(RecordKind::image_chunk, head, {reinterpret_cast<const char*>(bytes.data()) + from, to - from});
    };
    ASSERT_EQ(chunk(0, 1000), Status::ok);
    EXPECT_EQ(contents_.replica.base.index, dunlin::LogIndex{});
    ASSERT_EQ(chunk(1000, bytes.size()), Status::ok);
    ASSERT_EQ(contents_.replica.leases.size(), 1U);
    EXPECT_EQ(contents_.replica.leases[0].token, 12U);
    ASSERT_EQ(contents_.replica.members().size(), 1U);
    ASSERT_EQ(entry(30, 1), Status::ok);  // the snapshot has it
    ASSERT_EQ(entry(41, 3), Status::ok);
    EXPECT_EQ(contents_.replica.last_index(), 41U);
    bytes[500] ^= std::byte{1};
    EXPECT_EQ(chunk(0, bytes.size()), Status::corrupt);
    EXPECT_EQ(add(RecordKind::image_chunk, dunlin::ImageChunkRecord{0, ~std::uint32_t{0}}), Status::corrupt);  // no such snapshot
}

TEST_F(JournalContentsTest, any_bytes_of_any_kind_are_taken_or_refused) {
    std::mt19937 random(1);
    std::uint64_t refused = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::vector<std::byte> bytes(random() % 120);
        const auto shape = random();
        for (std::byte& each : bytes) each = static_cast<std::byte>((random() & shape) % 4 == 0 ? random() % 8 : random());
        if (add_bytes(static_cast<RecordKind>(random() % 20), bytes) != Status::ok) ++refused;
    }
    EXPECT_GT(refused, 100'000U);
}

TEST(RecordNames, every_kind_has_one) {
    for (unsigned kind = 1; kind <= 18; ++kind) EXPECT_EQ(name_of(static_cast<RecordKind>(kind)) == "unknown", kind == 8) << kind;
    EXPECT_EQ(name_of(static_cast<RecordKind>(200)), "unknown");
}

}  // namespace
