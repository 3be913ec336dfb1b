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
        journal_.open(device_.size());
        while (journal_.state() == journal::State::recovering) {
            for (journal::RecoveredRecord record; journal_.next_recovered(record);) {
                DUNLIN_ASSERT(voter_.replay(now_, record.kind, record.bytes) == Status::ok);
            }
            step_disk(journal_);
        }
        DUNLIN_ASSERT(voter_.recovered(now_) == Status::ok);
        voter_.start(now_, StorageId{101});
    }

    void hear_append(std::uint16_t from, std::uint64_t term, std::uint64_t commit, std::uint64_t entry_term) {
        const wire::EntryHead entry(entry_term, 0, 0, static_cast<std::uint8_t>(consensus::EntryType::none), 0, 0);
        const wire::Append append(term, 1, 1, commit, 0, 1, 1, 0);
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
    Voter voter_{{consensus_.storage(), replica_.ledger(), replica_.service()}, {.self = NodeId{1}}, journal_, counters_, random_, events_};

  private:
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

}  // namespace
}  // namespace dunlin
