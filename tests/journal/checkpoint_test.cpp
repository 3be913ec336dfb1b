#include "boot.hpp"

#include <gtest/gtest.h>

#include <set>

namespace dunlin::journal::test {
namespace {

using Texts = std::vector<std::string>;
constexpr std::size_t kDeviceBytes = 8 * 1024;
constexpr std::size_t kBank = kDeviceBytes / 2;

class Checkpoint : public testing::Test {
  protected:
    Checkpoint() : device(kDeviceBytes) {
        Boot boot(device, 512);
        boot.format();
        boot.store("aaaa");
        boot.store("bbbb");
    }
    // Opened, and a checkpoint of its first record alone is to be written.
    static void take_checkpoint(Boot& boot) {
        ASSERT_EQ(boot.open(), Status::ok);
        boot.journal.begin_checkpoint();
        while (!boot.journal.checkpoint_takes_records()) ASSERT_TRUE(boot.step());
        ASSERT_EQ(boot.journal.checkpoint_append(RecordKind::format, bytes_of("format")), Status::ok);
        boot.journal.finish_checkpoint();
    }
    Texts reopened() {
        Boot boot(device, 512);
        EXPECT_EQ(boot.open(), Status::ok);
        return boot.texts();
    }

    MemoryDevice device;
};

TEST_F(Checkpoint, replaces_what_was_appended_and_sequences_go_on) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    const std::uint64_t before = boot.journal.appended().value();
    boot.compact({"live"});
    EXPECT_EQ(boot.journal.appended().value(), before + 2);
    EXPECT_EQ(boot.journal.durable(), boot.journal.appended());
    EXPECT_EQ(boot.counters.get(Counter::journal_compactions), 1U);
    boot.store("more");
    Boot next(device, 512);
    ASSERT_EQ(next.open(), Status::ok);
    EXPECT_EQ(next.texts(), (Texts{"live", "more"}));
    EXPECT_EQ(next.journal.appended().value(), before + 3);
}

TEST_F(Checkpoint, first_drains_what_was_appended_and_keeps_appends_out_until_its_end) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    const auto gate = boot.append("cccc");
    ASSERT_TRUE(gate.ok());
    boot.journal.begin_checkpoint();
    EXPECT_EQ(boot.journal.checkpoint_append(RecordKind::format, bytes_of("format")), Status::busy);
    while (!boot.journal.checkpoint_takes_records()) {
        EXPECT_EQ(boot.append("dddd").status(), Status::busy);
        ASSERT_TRUE(boot.step());
    }
    EXPECT_EQ(boot.journal.durable(), gate.value());
    EXPECT_FALSE(boot.journal.needs_checkpoint());
    boot.checkpoint({"live"});
    EXPECT_FALSE(boot.journal.checkpointing());
    boot.store("dddd");
    EXPECT_EQ(reopened(), (Texts{"live", "dddd"}));
}

TEST_F(Checkpoint, interrupted_after_any_operation_leaves_the_old_bank_whole) {
    const Bytes original = device.content();
    for (std::size_t ops = 0;; ++ops) {
        device.overwrite(0, original);
        Boot boot(device, 512);
        ASSERT_EQ(boot.open(), Status::ok);
        boot.journal.begin_checkpoint();
        std::size_t done = 0;
        const auto step = [&] { return done < ops && boot.step() && ++done > 0; };
        while (!boot.journal.checkpoint_takes_records() && step()) {}
        if (boot.journal.checkpoint_takes_records()) {
            ASSERT_EQ(boot.journal.checkpoint_append(RecordKind::format, bytes_of("format")), Status::ok);
            while (step()) {}
            ASSERT_EQ(boot.journal.checkpoint_append(RecordKind::watermark, bytes_of("live")), Status::ok);
            boot.journal.finish_checkpoint();
            while (step()) {}
        }
        const bool whole = boot.journal.durable() == boot.journal.appended() && boot.journal.durable().value() > 3;
        device.power_loss_keeping({});
        const Texts found = reopened();
        // The new bank is on the disk one sync before it may be relied upon, when the old one is retired.
        const bool early = found == Texts{"live"} && boot.counters.get(Counter::journal_compactions) == 1;
        ASSERT_TRUE(found == (whole ? Texts{"live"} : Texts{"aaaa", "bbbb"}) || early) << "after operation " << ops;
        if (whole) break;
        ASSERT_LT(ops, 20U);
    }
}

TEST_F(Checkpoint, header_is_written_only_when_every_record_of_it_is_synced) {
    Boot boot(device, 512);
    take_checkpoint(boot);
    std::string order;
    while (const auto op = boot.journal.poll_op()) {
        const bool header = op->kind == DeviceOp::Kind::write && op->offset % kBank < kHeaderSectorBytes;
        order += op->kind == DeviceOp::Kind::sync ? 's' : header ? (op->offset >= kBank ? 'H' : 'r') : 'w';
        boot.journal.on_complete(op->id, device.perform(*op), 0);
    }
    EXPECT_EQ(order, "wsHsrs");
}

TEST_F(Checkpoint, tells_of_every_write_whether_a_sync_follows_it) {
    Boot boot(device, 512);
    boot.journal.format(device.size(), StorageId{78});
    std::optional<DeviceOp> before;
    std::size_t syncs = 0;
    const auto drain = [&] {
        while (const auto op = boot.journal.poll_op()) {
            const bool sync = op->kind == DeviceOp::Kind::sync;
            if (before && before->kind == DeviceOp::Kind::write) { EXPECT_EQ(before->sync_follows, sync) << "write at " << before->offset; }
            syncs += sync ? 1 : 0;
            before = op;
            boot.journal.on_complete(op->id, device.perform(*op), 0);
        }
    };
    const auto fill = [&] {
        while (!boot.journal.checkpoint_takes_records()) drain();
        const Bytes record(300);
        for (int i = 0; i < 3; ++i) {  // more than one write
            while (boot.journal.checkpoint_append(RecordKind::format, record) == Status::busy) drain();
        }
        boot.journal.finish_checkpoint();
        drain();
    };
    fill();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(boot.append("one").ok());
        drain();
    }
    ASSERT_TRUE(boot.append("drained first").ok());
    boot.journal.begin_checkpoint();
    fill();
    EXPECT_GT(syncs, 8U);
}

// A lost header must not make the bank before it the latest truth: what the new one alone holds is promised when that is retired for good.
TEST_F(Checkpoint, is_not_relied_upon_before_the_old_bank_is_retired_on_the_disk) {
    Boot boot(device, 512);
    take_checkpoint(boot);
    while (boot.journal.durable() != boot.journal.appended()) ASSERT_TRUE(boot.step());
    device.power_loss_keeping({});
    device.flip_bit(kBank + kHeaderSlotBytes);  // of the new bank's `active`
    Boot again(device, 512);
    EXPECT_EQ(again.open(), Status::corrupt);
}

// A checkpoint of three records whose header never comes. Its records are written, not synced.
class AbandonedCheckpoint : public Checkpoint {
  protected:
    AbandonedCheckpoint() {
        Boot boot(device, 512);
        EXPECT_EQ(boot.open(), Status::ok);
        boot.journal.begin_checkpoint();
        while (!boot.journal.checkpoint_takes_records()) boot.step();
        EXPECT_EQ(boot.journal.checkpoint_append(RecordKind::format, bytes_of("format")), Status::ok);
        for (const char* text : {"old1", "old2", "old3"}) {
            EXPECT_EQ(boot.journal.checkpoint_append(RecordKind::watermark, bytes_of(text)), Status::ok);
        }
        boot.journal.finish_checkpoint();
        boot.step();
    }
    // The same generation and the same sequences, but only one record: "old2" would be next.
    Texts after_another_checkpoint() {
        Boot boot(device, 512);
        EXPECT_EQ(boot.open(), Status::ok);
        EXPECT_EQ(boot.texts(), (Texts{"aaaa", "bbbb"}));
        boot.compact({"new1"});
        return reopened();
    }
};

TEST_F(AbandonedCheckpoint, leaves_nothing_that_a_later_one_could_take_for_its_own) {
    EXPECT_EQ(after_another_checkpoint(), (Texts{"new1"}));
}

TEST_F(AbandonedCheckpoint, has_its_mark_on_the_device_before_its_records) {
    const std::size_t records = device.unsynced_writes() - 1;
    device.power_loss_keeping({&records, 1});
    EXPECT_EQ(after_another_checkpoint(), (Texts{"new1"}));
}

TEST_F(AbandonedCheckpoint, never_shares_a_salt_with_a_later_one_even_if_its_header_was_torn) {
    device.flip_bit(kBank + 40);
    EXPECT_EQ(after_another_checkpoint(), (Texts{"new1"}));
}

// Each one that is lost makes salts leap, so the next is far from those that are still on the device.
TEST_F(Checkpoint, that_was_abandoned_in_either_bank_never_shares_a_salt_with_a_later_one) {
    for (std::size_t round = 0; round < 4; ++round) {
        const std::size_t target = round % 2 == 0 ? kBank : 0;
        {
            Boot boot(device, 512);
            ASSERT_EQ(boot.open(), Status::ok);
            boot.journal.begin_checkpoint();
            while (!boot.journal.checkpoint_takes_records()) boot.step();
            ASSERT_EQ(boot.journal.checkpoint_append(RecordKind::format, bytes_of("format")), Status::ok);
            for (const char* text : {"old1", "old2"})
                ASSERT_EQ(boot.journal.checkpoint_append(RecordKind::watermark, bytes_of(text)), Status::ok);
            boot.step();
        }
        device.flip_bit(target + 40);  // its header is lost
        {
            Boot boot(device, 512);
            ASSERT_EQ(boot.open(), Status::ok);
            boot.compact({"new1"});
        }
        ASSERT_EQ(reopened(), (Texts{"new1"})) << "round " << round;
    }
}

TEST_F(Checkpoint, gone_with_its_header_is_corrupt_and_never_the_older_bank) {
    {
        Boot boot(device, 512);
        ASSERT_EQ(boot.open(), Status::ok);
        boot.compact({"vote"});
        boot.store("next");
    }
    device.flip_bit(kBank + slot_of(BankState::active) + 24);
    EXPECT_EQ(Boot(device, 512).open(), Status::corrupt);
    device.overwrite(kBank, Bytes(kBankHeaderBytes));
    EXPECT_EQ(Boot(device, 512).open(), Status::corrupt);
}

TEST_F(Checkpoint, that_a_device_forgot_is_corrupt_because_its_successor_retired_it) {
    const Bytes first(device.content().begin(), device.content().begin() + kBank);
    {
        Boot boot(device, 512);
        ASSERT_EQ(boot.open(), Status::ok);
        boot.compact({"live"});
        boot.compact({"vote"});  // again in the first bank
    }
    EXPECT_EQ(reopened(), (Texts{"vote"}));
    device.overwrite(0, first);
    EXPECT_EQ(Boot(device, 512).open(), Status::corrupt);
}

TEST_F(Checkpoint, whose_live_state_outgrows_a_bank_fails_and_the_old_bank_stays) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.journal.begin_checkpoint();
    while (!boot.journal.checkpoint_takes_records()) ASSERT_TRUE(boot.step());
    Status status = boot.journal.checkpoint_append(RecordKind::format, bytes_of("format"));
    while (status == Status::ok || status == Status::busy) {
        status = boot.journal.checkpoint_append(RecordKind::watermark, Bytes(200));
        if (status == Status::busy) { ASSERT_TRUE(boot.step()); }
    }
    EXPECT_EQ(status, Status::device_full);
    EXPECT_EQ(boot.journal.state(), State::failed);
    EXPECT_EQ(boot.journal.status(), Status::device_full);
    EXPECT_EQ(reopened(), (Texts{"aaaa", "bbbb"}));
}

TEST_F(Checkpoint, whose_mark_on_the_old_bank_was_lost_in_a_crash_gets_it_at_the_next_start) {
    {
        Boot boot(device, 512);
        ASSERT_EQ(boot.open(), Status::ok);
        boot.journal.begin_checkpoint();
        while (!boot.journal.checkpoint_takes_records()) ASSERT_TRUE(boot.step());
        ASSERT_EQ(boot.journal.checkpoint_append(RecordKind::format, bytes_of("format")), Status::ok);
        boot.journal.finish_checkpoint();
        while (boot.counters.get(Counter::journal_compactions) == 0) ASSERT_TRUE(boot.step());
    }
    {
        Boot boot(device, 512);
        ASSERT_EQ(boot.open(), Status::ok);
        boot.drain();
        boot.store("epoch");
    }
    BankHeader banks[2];
    for (unsigned bank = 0; bank < 2; ++bank) {
        std::vector<std::byte> bytes(kBankHeaderBytes);
        ASSERT_EQ(device.perform({.kind = DeviceOp::Kind::read, .id = 1, .offset = bank * (device.size() / 2), .buffer = bytes}),
                  Status::ok);
        ASSERT_EQ(read_bank_header(bytes, banks[bank]), BankHeaderKind::valid);
    }
    EXPECT_EQ(int{banks[0].state == BankState::active} + int{banks[1].state == BankState::active}, 1);
    EXPECT_EQ(int{banks[0].state == BankState::retired} + int{banks[1].state == BankState::retired}, 1);
}

TEST_F(Checkpoint, that_leaves_no_room_for_the_next_record_fails_the_journal_instead_of_being_full_for_ever) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    const std::uint32_t room = boot.journal.bank_bytes() - record_bytes(6);
    boot.compact(Texts(room / record_bytes(200), std::string(200, 'x')));
    EXPECT_EQ(boot.append(std::string(400, 'y')).status(), Status::device_full);
    EXPECT_FALSE(boot.journal.needs_checkpoint());
    EXPECT_EQ(boot.journal.state(), State::failed);
    EXPECT_EQ(boot.journal.status(), Status::device_full);
}

TEST_F(Checkpoint, does_not_follow_checkpoint_when_the_live_state_alone_nears_the_mark) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.compact(Texts(12, std::string(200, 'x')));
    EXPECT_GT(boot.journal.used_bytes(), boot.journal.bank_bytes() / 4 * 3);
    EXPECT_FALSE(boot.journal.needs_checkpoint());
    while (!boot.journal.needs_checkpoint()) boot.store("aaaa");
    EXPECT_GE(boot.journal.used_bytes(), 12 * record_bytes(200) + boot.journal.bank_bytes() / 8);
}

// Those whose journals take the same records at the same time would all stand still at once.
TEST_F(Checkpoint, is_wanted_at_a_mark_of_its_own_by_each_journal_and_each_bank) {
    std::set<std::uint32_t> marks;
    for (std::uint64_t storage = 1; storage <= 4; ++storage) {
        MemoryDevice disk(64 * 1024);
        Boot boot(disk, 512);
        boot.format(StorageId{storage});
        for (int bank = 0; bank < 2; ++bank) {
            while (!boot.journal.needs_checkpoint()) boot.store("aaaa");
            const std::uint32_t used = boot.journal.used_bytes();
            EXPECT_GT(used, boot.journal.bank_bytes() / 16 * 9 - 512);
            EXPECT_LT(used, boot.journal.bank_bytes() / 4 * 3 + 512);
            marks.insert(used);
            boot.compact({"live"});
        }
    }
    EXPECT_GE(marks.size(), 6U);
}

TEST_F(Checkpoint, of_a_new_format_hides_everything_that_was_there) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.compact({"live"});
    boot.compact({"live"});
    boot.compact({"live"});  // in the second bank, with a higher generation than a new format has
    Boot again(device, 512);
    again.format(StorageId{78});
    again.store("new!");
    EXPECT_EQ(reopened(), (Texts{"new!"}));
}

// Half a wiped header could say that the older bank counts: nobody must believe it, so the other one is still what it was.
TEST_F(Checkpoint, of_a_new_format_touches_one_bank_only_when_the_other_is_gone_for_good) {
    Boot boot(device, 512);
    boot.journal.format(device.size(), StorageId{78});
    std::string order;
    while (!boot.journal.checkpoint_takes_records()) {
        const auto op = boot.journal.poll_op();
        ASSERT_TRUE(op);
        order += op->kind == DeviceOp::Kind::sync ? 's' : op->offset >= kBank ? '1' : '0';
        boot.journal.on_complete(op->id, device.perform(*op), 0);
    }
    EXPECT_EQ(order, "1s0s");
}

TEST_F(Checkpoint, of_a_new_format_may_follow_a_recovery_that_failed) {
    device.flip_bit(slot_of(BankState::active) + 24);
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::corrupt);
    boot.format(StorageId{78});
    EXPECT_EQ(boot.journal.status(), Status::ok);
    boot.store("new!");
    EXPECT_EQ(reopened(), (Texts{"new!"}));
}

}  // namespace
}  // namespace dunlin::journal::test
