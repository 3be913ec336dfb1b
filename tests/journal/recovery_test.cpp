#include "boot.hpp"

#include <dunlin/core/checksum.hpp>

#include <gtest/gtest.h>

namespace dunlin::journal::test {
namespace {

using Texts = std::vector<std::string>;
constexpr std::size_t kDeviceBytes = 16 * 1024;
constexpr std::size_t kBank = kDeviceBytes / 2;
constexpr std::size_t kFirst = kHeaderSectorBytes;
constexpr std::size_t kFormatRecord = record_bytes(6);
constexpr std::size_t kRecord = record_bytes(4);  // of the four-byte texts below

class RecoveryTest : public testing::Test {
  protected:
    RecoveryTest() : device(kDeviceBytes) {
        Boot boot(device, 512);
        boot.format();
        EXPECT_EQ(boot.journal.state(), State::ready);
    }
    // Opens the device in a new process and says how it went.
    Status open(std::size_t buffer_bytes = 512) {
        Boot boot(device, buffer_bytes);
        const Status status = boot.open();
        texts = boot.texts();
        report = boot.journal.report();
        needs_checkpoint = boot.journal.needs_checkpoint();
        return status;
    }
    // Offset of the n-th record (from 0) behind the format record of bank 0, all of four bytes.
    static std::size_t offset_of(std::size_t n) { return kFirst + kFormatRecord + n * kRecord; }
    void rewrite_header(std::size_t bank, auto change) {
        BankHeader header;
        const auto bytes = std::span{device.content()}.subspan(bank * kBank, kBankHeaderBytes);
        ASSERT_EQ(read_bank_header(bytes, header), BankHeaderKind::valid);
        change(header);
        header.crc = 0;
        header.crc = crc32c(std::as_bytes(std::span{&header, 1}));
        device.overwrite(bank * kBank + slot_of(header.state), std::as_bytes(std::span{&header, 1}));
    }

    MemoryDevice device;
    Texts texts;
    RecoveryReport report;
    bool needs_checkpoint = false;
};

TEST_F(RecoveryTest, of_a_device_never_written_or_erased_is_blank) {
    device = MemoryDevice(kDeviceBytes);
    EXPECT_EQ(open(), Status::blank);
    device.overwrite(0, Bytes(kDeviceBytes, std::byte{0xff}));
    EXPECT_EQ(open(), Status::blank);
}

TEST_F(RecoveryTest, of_an_interrupted_format_is_blank) {
    device = MemoryDevice(kDeviceBytes);
    Boot boot(device, 512);
    boot.journal.format(kDeviceBytes, StorageId{5});
    while (!boot.journal.checkpoint_takes_records()) ASSERT_TRUE(boot.step());
    ASSERT_EQ(boot.journal.checkpoint_append(RecordKind::format, bytes_of("format")), Status::ok);
    boot.journal.finish_checkpoint();
    ASSERT_TRUE(boot.step());  // the record
    ASSERT_TRUE(boot.step());  // its sync; the header has not been written
    EXPECT_EQ(open(), Status::blank);
}

TEST_F(RecoveryTest, of_a_device_of_another_journal_format_says_unsupported_version) {
    rewrite_header(0, [](BankHeader& header) { header.version = kFormatVersion + 1; });
    EXPECT_EQ(open(), Status::unsupported_version);
}

TEST_F(RecoveryTest, of_a_device_of_another_size_or_with_a_shorter_buffer_is_refused) {
    Boot larger(device, 1024);
    ASSERT_EQ(larger.open(), Status::ok);
    EXPECT_TRUE(larger.journal.needs_checkpoint()) << "the bank was made for shorter records";
    larger.compact({"live"});
    larger.store(std::string(900, 'x'));
    EXPECT_EQ(open(512), Status::too_large);
    MemoryDevice grown(2 * kDeviceBytes);
    grown.overwrite(0, device.content());
    EXPECT_EQ(Boot(grown, 1024).open(), Status::corrupt) << "the active second bank is not where it was";
    Boot again(device, 1024);
    ASSERT_EQ(again.open(), Status::ok);
    again.compact({"live"});
    grown.overwrite(0, device.content());
    EXPECT_EQ(Boot(grown, 1024).open(), Status::invalid_argument);
}

TEST_F(RecoveryTest, of_a_device_too_small_for_two_banks_is_refused) {
    device = MemoryDevice(2047);
    EXPECT_EQ(open(), Status::invalid_argument);
}

TEST_F(RecoveryTest, cuts_a_torn_tail_and_wants_a_checkpoint_before_the_next_append) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.store("aaaa");
    ASSERT_TRUE(boot.append("bbbb").ok());
    ASSERT_TRUE(boot.append("cccc").ok());
    ASSERT_TRUE(boot.step());
    device.flip_bit(offset_of(1) + sizeof(RecordHead));  // the write was torn; "cccc" is whole
    ASSERT_EQ(open(), Status::ok);
    EXPECT_EQ(texts, (Texts{"aaaa"}));
    EXPECT_EQ(report.torn_bytes, 2 * kRecord);
    EXPECT_TRUE(needs_checkpoint);

    Boot next(device, 512);
    ASSERT_EQ(next.open(), Status::ok);
    EXPECT_EQ(next.append("dddd").status(), Status::busy);
    EXPECT_EQ(next.counters.get(Counter::journal_torn_tails), 1U);
    next.compact({"aaaa"});
    next.store("dddd");
    ASSERT_EQ(open(), Status::ok);
    EXPECT_EQ(texts, (Texts{"aaaa", "dddd"}));
    EXPECT_FALSE(needs_checkpoint);
}

TEST_F(RecoveryTest, cuts_a_tail_whose_only_record_is_torn) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    ASSERT_TRUE(boot.append("aaaa").ok());
    ASSERT_TRUE(boot.step());
    device.flip_bit(offset_of(0) + sizeof(RecordHead) + 1);
    ASSERT_EQ(open(), Status::ok);
    EXPECT_EQ(texts, Texts{});
    EXPECT_TRUE(needs_checkpoint);
}

TEST_F(RecoveryTest, refuses_a_bad_record_that_was_durable_before_a_later_one_was_written) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    for (const char* text : {"aaaa", "bbbb", "cccc"}) boot.store(text);
    device.flip_bit(offset_of(1) + sizeof(RecordHead));
    EXPECT_EQ(open(), Status::corrupt);
    EXPECT_EQ(report.corrupt_offset, offset_of(1));
    EXPECT_EQ(texts, Texts{}) << "nothing of a corrupt journal is believed";
}

TEST_F(RecoveryTest, refuses_a_corrupt_middle_however_much_of_it_is_gone) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    for (int i = 0; i < 100; ++i) boot.store("aaaa");
    device.overwrite(offset_of(10) + 3, Bytes(85 * kRecord, std::byte{0x5a}));
    EXPECT_EQ(open(), Status::corrupt);
    EXPECT_EQ(report.corrupt_offset, offset_of(10));
}

TEST_F(RecoveryTest, refuses_a_bad_record_of_the_checkpoint_even_with_nothing_behind_it) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.compact({"aaaa", "bbbb"});
    device.flip_bit(kBank + offset_of(1) + sizeof(RecordHead));
    EXPECT_EQ(open(), Status::corrupt);
    EXPECT_EQ(report.corrupt_offset, kBank + offset_of(1));
}

TEST_F(RecoveryTest, finds_every_single_flipped_bit_among_durable_records) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.store("aaaa");
    boot.store("bbbb");
    for (std::size_t bit = 0; bit < 8 * (sizeof(RecordHead) + 4); ++bit) {
        device.flip_bit(offset_of(0) + bit / 8, bit % 8);
        ASSERT_EQ(open(), Status::corrupt) << "bit " << bit;
        device.flip_bit(offset_of(0) + bit / 8, bit % 8);
    }
    EXPECT_EQ(open(), Status::ok);
}

TEST_F(RecoveryTest, drops_a_batch_that_lacks_its_end) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.store("aaaa");
    ASSERT_TRUE(boot.append("bbbb", true).ok());
    ASSERT_TRUE(boot.append("cccc", true).ok());
    ASSERT_TRUE(boot.append("dddd").ok());
    ASSERT_TRUE(boot.step());
    device.overwrite(offset_of(3), Bytes(kRecord));  // the end of the batch never arrived
    ASSERT_EQ(open(), Status::ok);
    EXPECT_EQ(texts, (Texts{"aaaa"}));
    EXPECT_TRUE(needs_checkpoint);
}

TEST_F(RecoveryTest, never_lets_a_record_behind_a_hole_follow_a_new_one_put_into_the_hole) {
    Boot first(device, 512);
    ASSERT_EQ(first.open(), Status::ok);
    ASSERT_TRUE(first.append("lost").ok());
    ASSERT_TRUE(first.append("late").ok());
    ASSERT_TRUE(first.step());
    device.overwrite(offset_of(0), Bytes(kRecord));  // "lost" never arrived, "late" did

    Boot second(device, 512);
    ASSERT_EQ(second.open(), Status::ok);
    EXPECT_EQ(second.texts(), Texts{});
    EXPECT_TRUE(second.journal.needs_checkpoint()) << "nothing is left of the head of the lost one, but something follows";
    second.compact({});
    second.store("new!");  // the same sequence and length as "lost"
    ASSERT_EQ(open(), Status::ok);
    EXPECT_EQ(texts, (Texts{"new!"}));
}

TEST_F(RecoveryTest, rejects_a_leftover_of_an_earlier_boot_behind_a_record_of_a_later_one) {
    Boot first(device, 512);
    ASSERT_EQ(first.open(), Status::ok);
    for (const char* text : {"aaaa", "bbbb", "stal"}) first.store(text);
    const Bytes old = device.content();
    device.overwrite(offset_of(1), Bytes(2 * kRecord));  // as if neither had arrived
    Boot second(device, 512);
    ASSERT_EQ(second.open(), Status::ok);
    second.store("new!");
    device.overwrite(offset_of(2), std::span{old}.subspan(offset_of(2), kRecord));  // in sequence, and its CRC is right
    ASSERT_EQ(open(), Status::ok);
    EXPECT_EQ(texts, (Texts{"aaaa", "new!"}));
    EXPECT_TRUE(needs_checkpoint);
}

TEST_F(RecoveryTest, syncs_what_a_killed_process_had_only_written_before_it_counts_as_durable) {
    Boot first(device, 512);
    ASSERT_EQ(first.open(), Status::ok);
    ASSERT_TRUE(first.append("aaaa").ok());
    ASSERT_TRUE(first.step());  // written; the process is killed, the machine goes on
    Boot second(device, 512);
    ASSERT_EQ(second.open(), Status::ok);
    EXPECT_EQ(second.texts(), (Texts{"aaaa"}));
    device.power_loss_keeping({});
    ASSERT_EQ(open(), Status::ok);
    EXPECT_EQ(texts, (Texts{"aaaa"}));
}

TEST_F(RecoveryTest, fails_when_the_device_fails_or_reads_short) {
    Boot boot(device, 512);
    boot.journal.open(kDeviceBytes);
    auto op = boot.journal.poll_op();
    ASSERT_TRUE(op);
    boot.journal.on_complete(op->id, Status::ok, op->buffer.size() - 1);
    EXPECT_EQ(boot.journal.status(), Status::device_error);
    Boot other(device, 512);
    other.journal.open(kDeviceBytes);
    op = other.journal.poll_op();
    ASSERT_TRUE(op);
    other.journal.on_complete(op->id, Status::device_error, 0);
    EXPECT_EQ(other.journal.state(), State::failed);
}

TEST_F(RecoveryTest, of_a_bank_whose_first_record_is_not_the_format_is_corrupt) {
    rewrite_header(0, [](BankHeader& header) { header.first_sequence = 2; });
    EXPECT_EQ(open(), Status::corrupt);
}

TEST_F(RecoveryTest, reads_a_layout_that_is_pinned_byte_for_byte) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.store("aaaa");
    EXPECT_EQ(crc32c(device.content()), 34969688U) << "a change of layout needs a new kFormatVersion and a new fuzz corpus";
}

TEST_F(RecoveryTest, of_headers_gone_bad_is_corrupt_never_blank) {
    device.flip_bit(slot_of(BankState::active) + 20);
    EXPECT_EQ(open(), Status::corrupt);
}

}  // namespace
}  // namespace dunlin::journal::test
