#include "boot.hpp"

#include <dunlin/journal/journal_memory.hpp>

#include <gtest/gtest.h>

namespace dunlin::journal::test {
namespace {

using Texts = std::vector<std::string>;

class Append : public testing::Test {
  protected:
    Append() : device(16 * 1024), boot(device, 512) { boot.format(); }
    Journal& journal() { return boot.journal; }
    Texts after_restart() {
        Boot next(device, 512);
        EXPECT_EQ(next.open(), Status::ok);
        return next.texts();
    }

    MemoryDevice device;
    Boot boot;
};

TEST_F(Append, is_durable_only_when_the_sync_after_its_write_has_completed) {
    const Result<JournalSequence> sequence = boot.append("vote");
    ASSERT_TRUE(sequence.ok());
    EXPECT_EQ(journal().appended(), sequence.value());
    const auto write = journal().poll_op();
    ASSERT_TRUE(write && write->kind == DeviceOp::Kind::write);
    EXPECT_FALSE(journal().poll_op()) << "one operation at a time";
    journal().on_complete(write->id, device.perform(*write), 0);
    EXPECT_LT(journal().durable(), sequence.value());
    const auto sync = journal().poll_op();
    ASSERT_TRUE(sync && sync->kind == DeviceOp::Kind::sync);
    EXPECT_LT(journal().durable(), sequence.value());
    journal().on_complete(sync->id, device.perform(*sync), 0);
    EXPECT_EQ(journal().durable(), sequence.value());
    EXPECT_FALSE(journal().poll_op());
}

TEST_F(Append, gathers_behind_a_group_under_way_and_takes_one_write_and_one_sync) {
    ASSERT_TRUE(boot.append("first").ok());
    const auto write = journal().poll_op();
    ASSERT_TRUE(write);
    ASSERT_TRUE(boot.append("second").ok());
    ASSERT_TRUE(boot.append("third").ok());
    journal().on_complete(write->id, device.perform(*write), 0);
    ASSERT_TRUE(boot.append("fourth").ok());
    EXPECT_TRUE(boot.step());  // sync of the first
    EXPECT_EQ(journal().appended().value() - journal().durable().value(), 3U);
    const std::uint32_t syncs = boot.counters.get(Counter::journal_syncs);
    EXPECT_TRUE(boot.step());
    EXPECT_TRUE(boot.step());
    EXPECT_FALSE(boot.step());
    EXPECT_EQ(boot.counters.get(Counter::journal_syncs), syncs + 1);
    EXPECT_EQ(journal().durable(), journal().appended());
    EXPECT_EQ(after_restart(), (Texts{"first", "second", "third", "fourth"}));
}

TEST_F(Append, joins_both_parts_of_a_payload_and_keeps_its_kind_and_sequence) {
    const auto sequence = journal().append(RecordKind::hard_state, bytes_of("term"), bytes_of("vote"));
    ASSERT_TRUE(sequence.ok());
    boot.drain();
    Boot next(device, 512);
    ASSERT_EQ(next.open(), Status::ok);
    ASSERT_EQ(next.recovered.size(), 2U);
    EXPECT_EQ(next.recovered[0].kind, RecordKind::format);
    EXPECT_EQ(next.recovered[1].kind, RecordKind::hard_state);
    EXPECT_EQ(next.recovered[1].text, "termvote");
    EXPECT_EQ(next.recovered[1].sequence, sequence.value().value());
    EXPECT_EQ(next.journal.durable(), sequence.value());
    EXPECT_EQ(next.journal.report().records, 2U);
}

TEST_F(Append, takes_a_record_of_exactly_the_buffer_and_refuses_one_byte_more) {
    EXPECT_EQ(journal().payload_bytes_max(), 480U);
    EXPECT_EQ(boot.append(std::string(481, 'x')).status(), Status::too_large);
    boot.store(std::string(480, 'y'));
    boot.store("");
    EXPECT_EQ(after_restart(), (Texts{std::string(480, 'y'), ""}));
}

TEST_F(Append, is_busy_while_the_buffer_is_full_and_taken_again_after_the_write) {
    ASSERT_TRUE(boot.append(std::string(400, 'a')).ok());
    EXPECT_EQ(boot.append(std::string(200, 'b')).status(), Status::busy);
    EXPECT_EQ(boot.counters.get(Counter::journal_busy), 1U);
    EXPECT_TRUE(boot.step());
    ASSERT_TRUE(boot.append(std::string(200, 'b')).ok());
    boot.drain();
    EXPECT_EQ(after_restart(), (Texts{std::string(400, 'a'), std::string(200, 'b')}));
}

TEST_F(Append, says_device_full_at_the_last_byte_of_the_bank_and_asks_for_a_checkpoint_before) {
    std::size_t count = 0;
    bool asked = false;
    while (true) {
        const Status status = boot.append(std::string(100, 'x')).status();
        if (status == Status::busy) {
            boot.drain();
            continue;
        }
        asked = asked || journal().needs_checkpoint();
        if (status == Status::device_full) break;
        ASSERT_EQ(status, Status::ok);
        // Each bank has its own mark: somewhere in the last quarter before three quarters.
        ASSERT_TRUE(!asked || journal().used_bytes() >= journal().bank_bytes() / 16 * 9);
        ASSERT_TRUE(asked || journal().used_bytes() < journal().bank_bytes() / 4 * 3);
        ++count;
    }
    EXPECT_EQ(count, (journal().bank_bytes() - record_bytes(6)) / record_bytes(100));
    EXPECT_TRUE(journal().needs_checkpoint());
    boot.drain();
    EXPECT_EQ(after_restart().size(), count);
    boot.compact({"live"});
    EXPECT_FALSE(journal().needs_checkpoint());
    boot.store("more");
    EXPECT_EQ(after_restart(), (Texts{"live", "more"}));
}

TEST_F(Append, of_a_batch_is_not_written_before_its_last_part) {
    ASSERT_TRUE(boot.append("one", true).ok());
    EXPECT_FALSE(journal().poll_op());
    ASSERT_TRUE(boot.append("two").ok());
    boot.drain();
    EXPECT_EQ(after_restart(), (Texts{"one", "two"}));
}

TEST_F(Append, withdraws_a_whole_batch_when_one_part_is_refused) {
    ASSERT_TRUE(boot.append(std::string(300, 'a')).ok());
    const JournalSequence before = journal().appended();
    ASSERT_TRUE(boot.append("one", true).ok());
    EXPECT_EQ(boot.append(std::string(200, 'b')).status(), Status::busy);
    EXPECT_EQ(journal().appended(), before);
    boot.store("next");
    EXPECT_EQ(after_restart(), (Texts{std::string(300, 'a'), "next"}));
}

TEST_F(Append, says_too_large_for_a_batch_that_no_empty_buffer_would_hold) {
    ASSERT_TRUE(boot.append(std::string(300, 'a'), true).ok());
    EXPECT_EQ(boot.append(std::string(200, 'b')).status(), Status::too_large);
}

TEST_F(Append, promises_nothing_more_after_a_device_error) {
    boot.store("kept");
    const JournalSequence durable = journal().durable();
    ASSERT_TRUE(boot.append("doubtful").ok());
    EXPECT_TRUE(boot.step());
    const auto sync = journal().poll_op();
    ASSERT_TRUE(sync);
    journal().on_complete(sync->id, Status::device_error, 0);
    EXPECT_EQ(journal().state(), State::failed);
    EXPECT_EQ(journal().status(), Status::device_error);
    EXPECT_EQ(journal().durable(), durable);
    EXPECT_EQ(boot.append("refused").status(), Status::device_error);
    EXPECT_FALSE(journal().poll_op());
    EXPECT_EQ(boot.counters.get(Counter::journal_errors), 1U);
}

TEST_F(Append, ignores_the_completion_of_an_operation_that_is_not_outstanding) {
    ASSERT_TRUE(boot.append("one").ok());
    const auto write = journal().poll_op();
    ASSERT_TRUE(write);
    journal().on_complete(write->id + 1, Status::device_error, 0);
    EXPECT_EQ(journal().state(), State::ready);
    journal().on_complete(write->id, device.perform(*write), 0);
    journal().on_complete(write->id, Status::device_error, 0);
    EXPECT_EQ(journal().state(), State::ready);
    boot.drain();
    EXPECT_EQ(journal().durable(), journal().appended());
}

TEST(JournalArrays, hold_one_buffer_of_the_size_that_the_limits_say) {
    JournalArrays<Limits{.journal_buffer_bytes = 1024}> arrays;
    EXPECT_EQ(arrays.storage().buffer.size(), 1024U);
    EXPECT_EQ(sizeof arrays, 1024U);
}

TEST(ClosedJournal, refuses_appends_as_recovering) {
    MemoryDevice device(16 * 1024);
    Boot boot(device, 512);
    EXPECT_EQ(boot.append("early").status(), Status::recovering);
    boot.journal.open(device.size());
    EXPECT_EQ(boot.append("early").status(), Status::recovering);
}

}  // namespace
}  // namespace dunlin::journal::test
