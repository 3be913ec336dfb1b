#include "journal/memory_device.hpp"

#include <dunlin/bus/fence_gate.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

namespace dunlin::bus {
namespace {

constexpr LeaseKey kCrane{11};
constexpr LeaseKey kPump{22};

// A gate whose floors are in a journal on `device`, for one life of its process.
class JournalledGate {
  public:
    explicit JournalledGate(journal::test::MemoryDevice& device) : device_(device) {}

    void format() {
        journal.format(device_.size(), StorageId{1});
        checkpoint();
    }
    Status recover() {
        journal.open(device_.size());
        Status status = Status::ok;
        while (journal.state() == journal::State::recovering) {
            journal::RecoveredRecord record;
            while (journal.next_recovered(record)) {
                if (record.kind == journal::RecordKind::fence_floor && status == Status::ok) status = gate.replay(record.bytes);
            }
            step();
        }
        return status;
    }
    bool step() {
        const auto op = journal.poll_op();
        if (!op) return false;
        const Status status = device_.perform(*op);
        journal.on_complete(op->id, status, device_.bytes_read(*op));
        return true;
    }
    void sync() {
        while (step()) {}
    }
    void compact() {
        journal.begin_checkpoint();
        checkpoint();
    }

  private:
    void checkpoint() {
        ASSERT_EQ(emit(journal::RecordKind::format, {}, {}), Status::ok);
        auto write = [this](journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
            return emit(kind, first, second);
        };
        std::uint32_t cursor = 0;
        ASSERT_EQ(gate.emit_live(cursor, EmitRecord::of(write)), Status::ok);
        journal.finish_checkpoint();
        sync();
    }
    Status emit(journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
        while (true) {
            const Status status = journal.checkpoint_append(kind, first, second);
            if (status != Status::busy) return status;
            if (!step()) return status;
        }
    }

    journal::test::MemoryDevice& device_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(1024);
    std::array<FenceRow, 2> rows_{};

  public:
    Counters counters;
    journal::Journal journal{{.buffer = buffer_}, counters};
    FenceGate gate{rows_, &journal, counters};
};

class FenceGateWithJournal : public testing::Test {
  protected:
    FenceGateWithJournal() { first.format(); }
    // A lease of which the ledger knows no grant.
    void guard(LeaseKey lease, std::string_view name) {
        ASSERT_EQ(first.gate.guard(lease, name), Status::ok);
        first.gate.floor_known(lease, Token{1});
    }
    void fill_journal() {
        const std::array<std::byte, 400> filler{};
        while (first.journal.append(journal::RecordKind::position, filler).ok()) {}
        const std::array<std::byte, 8> small{};
        while (first.journal.append(journal::RecordKind::position, small).ok()) {}
    }
    journal::test::MemoryDevice device{16384};
    JournalledGate first{device};
};

TEST_F(FenceGateWithJournal, admits_a_token_only_after_its_floor_is_durable) {
    guard(kCrane, "crane");
    EXPECT_EQ(first.gate.admit(kCrane, Token{5}), Status::busy);
    EXPECT_EQ(first.gate.admit(kCrane, Token{5}), Status::busy);
    EXPECT_FALSE(first.gate.take_ready());
    first.sync();
    EXPECT_TRUE(first.gate.take_ready());
    EXPECT_FALSE(first.gate.take_ready());
    EXPECT_EQ(first.gate.admit(kCrane, Token{5}), Status::ok);
    EXPECT_EQ(first.counters.get(Counter::fence_floor_raised), 1U);
}

TEST_F(FenceGateWithJournal, fences_every_lower_token_and_not_only_unequal_ones) {
    guard(kCrane, "crane");
    (void)first.gate.admit(kCrane, Token{7});
    first.sync();
    EXPECT_EQ(first.gate.admit(kCrane, Token{6}), Status::fenced);
    EXPECT_EQ(first.gate.admit(kCrane, Token{1}), Status::fenced);
    EXPECT_EQ(first.gate.admit(kCrane, Token{7}), Status::ok);
    EXPECT_EQ(first.gate.admit(kCrane, Token{9}), Status::busy);  // higher: not refused, but raised first
    first.sync();
    EXPECT_EQ(first.gate.admit(kCrane, Token{9}), Status::ok);
    EXPECT_EQ(first.gate.admit(kCrane, Token{7}), Status::fenced);
}

TEST_F(FenceGateWithJournal, fences_a_lower_token_while_the_higher_one_is_not_yet_durable) {
    guard(kCrane, "crane");
    (void)first.gate.admit(kCrane, Token{7});
    EXPECT_EQ(first.gate.admit(kCrane, Token{6}), Status::fenced);
}

TEST_F(FenceGateWithJournal, has_no_token_zero) {
    guard(kCrane, "crane");
    EXPECT_EQ(first.gate.admit(kCrane, Token{}), Status::fenced);
}

TEST_F(FenceGateWithJournal, keeps_leases_apart_and_guards_as_many_as_it_has_rows) {
    EXPECT_EQ(first.gate.admit(kCrane, Token{1}), Status::not_found);
    guard(kCrane, "crane");
    guard(kPump, "pump");
    EXPECT_EQ(first.gate.guard(LeaseKey{33}, "third"), Status::table_full);
    EXPECT_EQ(first.gate.guard(kCrane, "crane"), Status::ok);
    (void)first.gate.admit(kCrane, Token{7});
    (void)first.gate.admit(kPump, Token{3});
    first.sync();
    EXPECT_EQ(first.gate.admit(kPump, Token{3}), Status::ok);
    EXPECT_EQ(first.gate.floor(kCrane), Token{7});
}

TEST_F(FenceGateWithJournal, admits_nothing_before_the_floor_was_read_from_the_ledger_where_it_has_recovered_none) {
    ASSERT_EQ(first.gate.guard(kCrane, "crane"), Status::ok);
    EXPECT_EQ(first.gate.needs_floor_read(), "crane");
    EXPECT_EQ(first.gate.admit(kCrane, Token{6}), Status::busy);
    first.sync();
    EXPECT_FALSE(first.gate.take_ready());
    first.gate.floor_known(kCrane, Token{7});
    EXPECT_EQ(first.gate.admit(kCrane, Token{6}), Status::fenced);
    EXPECT_EQ(first.gate.admit(kCrane, Token{7}), Status::busy) << "not durable yet";
    first.sync();
    EXPECT_TRUE(first.gate.take_ready());
    EXPECT_EQ(first.gate.admit(kCrane, Token{7}), Status::ok);
}

TEST_F(FenceGateWithJournal, keeps_no_floor_under_which_nothing_was_admitted) {
    guard(kCrane, "crane");
    guard(kPump, "pump");
    first.sync();
    first.compact();

    JournalledGate second{device};
    ASSERT_EQ(second.recover(), Status::ok);
    EXPECT_EQ(second.gate.guard(LeaseKey{33}, "third"), Status::ok);
    EXPECT_EQ(second.gate.guard(LeaseKey{44}, "fourth"), Status::ok);
    EXPECT_EQ(second.gate.needs_floor_read(), "third");
}

TEST_F(FenceGateWithJournal, remembers_the_floor_over_a_crash_right_after_the_admission) {
    guard(kCrane, "crane");
    (void)first.gate.admit(kCrane, Token{7});
    first.sync();
    ASSERT_EQ(first.gate.admit(kCrane, Token{7}), Status::ok);
    device.power_loss_keeping({});

    JournalledGate second{device};
    ASSERT_EQ(second.recover(), Status::ok);
    ASSERT_EQ(second.gate.guard(kCrane, "crane"), Status::ok);
    EXPECT_EQ(second.gate.admit(kCrane, Token{6}), Status::fenced);
    EXPECT_EQ(second.gate.admit(kCrane, Token{7}), Status::ok);
    EXPECT_FALSE(second.gate.needs_floor_read().has_value());
}

TEST_F(FenceGateWithJournal, remembers_the_floor_over_a_checkpoint) {
    guard(kCrane, "crane");
    (void)first.gate.admit(kCrane, Token{7});
    first.sync();
    first.compact();

    JournalledGate second{device};
    ASSERT_EQ(second.recover(), Status::ok);
    EXPECT_EQ(second.gate.floor(kCrane), Token{7});
}

TEST_F(FenceGateWithJournal, says_busy_and_keeps_the_old_floor_where_the_journal_has_no_room) {
    guard(kCrane, "crane");
    fill_journal();
    EXPECT_EQ(first.gate.admit(kCrane, Token{7}), Status::busy);
    EXPECT_EQ(first.gate.floor(kCrane), Token{1});
    first.sync();
    EXPECT_TRUE(first.gate.take_ready());
    EXPECT_EQ(first.gate.admit(kCrane, Token{7}), Status::busy);
    first.sync();
    EXPECT_EQ(first.gate.admit(kCrane, Token{7}), Status::ok);
}

TEST_F(FenceGateWithJournal, refuses_a_record_of_another_length) {
    const std::array<std::byte, 15> cut{};
    EXPECT_EQ(first.gate.replay(cut), Status::corrupt);
}

TEST(FenceGateWithoutJournal, admits_nothing_before_the_floor_was_read_from_the_ledger) {
    Counters counters;
    std::array<FenceRow, 2> rows{};
    FenceGate gate(rows, nullptr, counters);
    EXPECT_FALSE(gate.needs_floor_read().has_value());
    ASSERT_EQ(gate.guard(kCrane, "crane"), Status::ok);
    ASSERT_EQ(gate.needs_floor_read(), "crane");
    EXPECT_EQ(gate.admit(kCrane, Token{7}), Status::busy);
    EXPECT_FALSE(gate.take_ready());
    gate.floor_known(kPump, Token{9});  // not guarded: ignored
    EXPECT_EQ(gate.admit(kCrane, Token{7}), Status::busy);
    gate.floor_known(kCrane, Token{7});
    EXPECT_TRUE(gate.take_ready());
    EXPECT_FALSE(gate.needs_floor_read().has_value());
    EXPECT_EQ(gate.admit(kCrane, Token{6}), Status::fenced);
    EXPECT_EQ(gate.admit(kCrane, Token{7}), Status::ok);
    EXPECT_EQ(gate.admit(kCrane, Token{8}), Status::ok);
    EXPECT_EQ(gate.admit(kCrane, Token{7}), Status::fenced);
}

}  // namespace
}  // namespace dunlin::bus
