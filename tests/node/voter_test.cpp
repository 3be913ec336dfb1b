#include "journal/memory_device.hpp"

#include <dunlin/consensus/consensus_memory.hpp>
#include <dunlin/ledger/ledger_memory.hpp>
#include <dunlin/node/formatter.hpp>
#include <dunlin/node/presets.hpp>
#include <dunlin/node/voter.hpp>

#include <gtest/gtest.h>

namespace dunlin {
namespace {

constexpr Limits kLimits = limits::voter_min;

// Voter 1 of the voters 1, 2 and 3 (storages 101..103), just initialised, with its disk. The test plays the others.
class VoterTest : public testing::Test {
  protected:
    VoterTest() {
        format();
        DUNLIN_ASSERT(recover(journal_, voter_) == Status::ok);
        voter_.start(now_, StorageId{101});
    }

    // A fresh process with the same disk, whose clock may be off by so much.
    Status restart_with_clock_rate_bound(std::uint32_t ppm) {
        std::vector<std::byte> buffer(journal_buffer_.size());
        journal::Journal journal({buffer}, counters_);
        Voter voter({consensus_.storage(), replica_.ledger(), replica_.service()}, {.self = NodeId{1}}, ppm, journal, counters_, random_,
                    events_);
        return recover(journal, voter);
    }

    void store_checkpoint() {
        journal_.begin_checkpoint();
        voter_.begin_checkpoint();
        journal::RecordKind kind{};
        std::span<const std::byte> first;
        std::span<const std::byte> second;
        while (!journal_.checkpoint_takes_records()) ASSERT_TRUE(step_disk(journal_));
        ASSERT_EQ(journal_.checkpoint_append(journal::RecordKind::format, {}), Status::ok);
        for (std::uint32_t i = 0; voter_.live_record(i, journal_.payload_bytes_max(), kind, first, second); ++i) {
            ASSERT_EQ(journal_.checkpoint_append(kind, first, second), Status::ok);
        }
        journal_.finish_checkpoint();
        voter_.end_checkpoint(journal_.appended());
        while (step_disk(journal_)) {}
    }

    void hear_append(std::uint16_t from, std::uint64_t term, std::uint64_t commit, std::uint64_t entry_term, std::uint64_t previous = 1) {
        const wire::EntryHead entry(entry_term, 0, 0, static_cast<std::uint8_t>(consensus::EntryType::none), 0, 0);
        const wire::Append append(term, previous, previous == 1 ? 1 : entry_term, commit, 0, 1, 1, 0);
        const wire::Record record{wire::RecordType::append, bytes_of(append), bytes_of(entry)};
        (void)voter_.on_record(now_, {NodeId{from}, StorageId{100U + from}}, record);
        voter_.advance(now_);
        while (step_disk(journal_)) {}
        voter_.on_durable(now_);
        voter_.advance(now_);
    }

    StatusReport report() {
        StatusReport report;
        voter_.report(now_, report);
        return report;
    }

    int diverged_events() {
        int count = 0;
        for (Event event = events_.pop(); event.kind != EventKind::none; event = events_.pop()) {
            if (event.kind == EventKind::diverged) ++count;
        }
        return count;
    }

    Instant now_{seconds{1}};
    journal::test::MemoryDevice device_{std::size_t{64} * 1024};
    Counters counters_;
    Random random_{7};
    std::array<Event, 64> event_slots_{};
    EventQueue events_{event_slots_, counters_};
    std::vector<std::byte> journal_buffer_ = std::vector<std::byte>(4096);
    journal::Journal journal_{{journal_buffer_}, counters_};
    consensus::ConsensusArrays<kLimits, ledger::image_bytes(kLimits.ledger)> consensus_{};
    ledger::ReplicaArrays<kLimits> replica_{};
    Voter voter_{
        {consensus_.storage(), replica_.ledger(), replica_.service()}, {.self = NodeId{1}}, 1000, journal_, counters_, random_, events_};

  private:
    Status recover(journal::Journal& journal, Voter& voter) {
        journal.open(device_.size());
        while (journal.state() == journal::State::recovering) {
            for (journal::RecoveredRecord record; journal.next_recovered(record);) {
                if (const Status status = voter.replay(now_, record.kind, record.bytes); status != Status::ok) return status;
            }
            step_disk(journal);
        }
        return voter.recovered(now_);
    }

    bool step_disk(journal::Journal& journal) {
        const auto op = journal.poll_op();
        if (!op) return false;
        const Status status = device_.perform(*op);
        journal.on_complete(op->id, status, device_.bytes_read(*op));
        return true;
    }

    void format() {
        std::array<ledger::MemberRow, 3> voters{};
        for (std::uint16_t i = 0; i < 3; ++i) {
            voters[i] = ledger::voter_row(NodeId{static_cast<std::uint16_t>(i + 1)}, StorageId{101U + i}, std::as_bytes(std::span("a", 1)));
        }
        FormatPlan plan;
        plan.node = NodeId{1};
        plan.storage = StorageId{101};
        plan.stream = StreamId{1};
        plan.cluster = "test";
        plan.init = true;
        plan.bootstrap.incarnation = ClusterIncarnation{5};
        plan.bootstrap.limits = kLimits.ledger;
        plan.bootstrap.voters = voters;
        std::vector<std::byte> buffer(4096);
        Counters counters;
        journal::Journal fresh({buffer}, counters);
        Formatter formatter(fresh, plan);
        DUNLIN_ASSERT(formatter.begin(device_.size()) == Status::ok);
        while (!formatter.done()) {
            const auto op = formatter.poll_op();
            formatter.on_complete(op->id, device_.perform(*op));
        }
    }
};

TEST_F(VoterTest, stops_and_says_so_once_when_the_leader_contradicts_what_was_committed) {
    hear_append(2, 2, 2, 2);
    ASSERT_EQ(report().role, consensus::Role::follower);
    ASSERT_EQ(report().commit, LogIndex{2});
    ASSERT_EQ(report().replica, Status::ok);
    ASSERT_EQ(diverged_events(), 0);
    hear_append(3, 3, 2, 3);
    EXPECT_EQ(report().role, consensus::Role::member);
    EXPECT_EQ(report().replica, Status::corrupt);
    EXPECT_EQ(voter_.next_deadline(), kNever);
    hear_append(3, 3, 2, 3);
    EXPECT_EQ(diverged_events(), 1);
    EXPECT_EQ(report().applied, LogIndex{2});
    EXPECT_FALSE(voter_.wants_to_send(NodeId{2}));
    EXPECT_FALSE(voter_.wants_to_send(NodeId{3}));
}

// The cluster was founded on 1000 ppm.
TEST_F(VoterTest, whose_clock_may_be_worse_than_the_cluster_was_told_stops_at_its_start) {
    EXPECT_EQ(restart_with_clock_rate_bound(1001), Status::invalid_argument);
    EXPECT_EQ(diverged_events(), 1);
    EXPECT_EQ(restart_with_clock_rate_bound(1000), Status::ok);
}

TEST_F(VoterTest, that_finds_the_cluster_both_applied_and_in_its_log_stops_for_its_clock_once) {
    hear_append(2, 2, 2, 2);
    hear_append(2, 2, 2, 2, 2);  // its record says what was committed, so that recovery applies
    ASSERT_EQ(report().last_index, LogIndex{3});
    EXPECT_EQ(restart_with_clock_rate_bound(1001), Status::invalid_argument);
    EXPECT_EQ(diverged_events(), 1);
}

TEST_F(VoterTest, that_knows_the_cluster_from_an_image_checks_its_clock_too) {
    hear_append(2, 2, 2, 2);
    ASSERT_EQ(report().applied, LogIndex{2});
    store_checkpoint();
    EXPECT_EQ(restart_with_clock_rate_bound(1001), Status::invalid_argument);
    EXPECT_EQ(diverged_events(), 1);
    EXPECT_EQ(restart_with_clock_rate_bound(1000), Status::ok);
}

}  // namespace
}  // namespace dunlin
