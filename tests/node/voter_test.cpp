#include "journal/memory_device.hpp"

#include <dunlin/consensus/consensus_memory.hpp>
#include <dunlin/core/checksum.hpp>
#include <dunlin/ledger/ledger_memory.hpp>
#include <dunlin/node/formatter.hpp>
#include <dunlin/node/presets.hpp>
#include <dunlin/node/voter.hpp>

#include <gtest/gtest.h>

namespace dunlin {
namespace {

constexpr Limits kLimits = limits::voter_min;
constexpr auto kSuccess = static_cast<std::uint32_t>(wire::AppendReplyFlag::success);

// Voter 1 of the voters 1, 2 and 3 (storages 101..103), just initialised, with its disk. The test plays the others.
class VoterTest : public testing::Test {
  protected:
    // `level`: the newest feature level that this build knows.
    explicit VoterTest(const LedgerLimits& cluster = kLimits.ledger, std::uint8_t level = ledger::kFeatureLevel) : level_(level) {
        format(cluster);
        recovered_ = recover(journal_, voter_);
        voter_.start(now_, StorageId{101});
    }

    // A fresh process with the same disk, whose clock may be off by so much.
    Status restart_with_clock_rate_bound(std::uint32_t ppm) {
        std::vector<std::byte> buffer(journal_buffer_.size());
        journal::Journal journal({buffer}, counters_);
        Voter voter({consensus_.storage(), ledger_storage(), replica_.service()}, {.self = NodeId{1}}, ppm, journal, counters_, random_,
                    events_);
        return recover(journal, voter);
    }

    void store_checkpoint() {
        begin_checkpoint();
        end_checkpoint();
        while (step_disk(journal_)) {}
    }

    // Entry `previous` + 1, a no-op, from the leader of `term`.
    void hear_append(std::uint16_t from, std::uint64_t term, std::uint64_t commit, std::uint64_t entry_term, std::uint64_t previous = 1) {
        const wire::EntryHead entry(entry_term, 0, 0, static_cast<std::uint8_t>(consensus::EntryType::none), 0, 0);
        const wire::Append append(term, previous, previous == 1 ? 1 : entry_term, commit, 0, 1, 1, 0, 0, 0);
        const wire::Record record{wire::RecordType::append, bytes_of(append), bytes_of(entry)};
        (void)voter_.on_record(now_, {NodeId{from}, StorageId{100U + from}}, record);
        voter_.advance(now_);
        while (step_disk(journal_)) {}
        voter_.on_durable(now_);
        voter_.advance(now_);
    }

    // Leader 2 of term 2 says that its state at entry 2, the last here, has this hash.
    void hear_state_hash(std::uint64_t hash) { hear_from_leader(wire::Append(2, 2, 2, 2, 0, 2, 0, 0, 2, hash)); }
    void hear_from_leader(const wire::Append& append, std::span<const std::byte> entries = {}) {
        (void)voter_.on_record(now_, {NodeId{2}, StorageId{102}}, {wire::RecordType::append, bytes_of(append), entries});
        sync();
    }

    // The state after `index` no-ops of term 2 behind the bootstrap entry, all of it in chunks.
    void hear_image(std::uint64_t index) {
        ledger::ReplicaArrays<kLimits> arrays;
        ledger::Ledger donor(arrays.ledger(), counters_);
        std::array<std::byte, ledger::kBootstrapBytesMax> payload{};
        consensus::Entry entry{LogIndex{1}, Term{1}, ClusterTime{}, consensus::EntryType::bootstrap,
                               ledger::encode(bootstrap(kLimits.ledger), payload)};
        DUNLIN_ASSERT(donor.apply(entry).replica == Status::ok);
        for (std::uint64_t i = 2; i <= index; ++i) {
            entry = {LogIndex{i}, Term{2}, ClusterTime{}, consensus::EntryType::none, {}};
            DUNLIN_ASSERT(donor.apply(entry).replica == Status::ok);
        }
        const std::span<const std::byte> image = donor.image();
        for (std::size_t at = 0; at < image.size(); at += 1000) {
            const auto part = image.subspan(at, std::min<std::size_t>(1000, image.size() - at));
            const wire::SnapshotChunk chunk(2, index, 2, 0, at + 1, static_cast<std::uint32_t>(image.size()),
                                            static_cast<std::uint32_t>(at), crc32c(image), 0);
            const wire::Record record{wire::RecordType::snapshot_chunk, bytes_of(chunk), part};
            (void)voter_.on_record(now_, {NodeId{2}, StorageId{102}}, record);
        }
        voter_.advance(now_);
    }
    // What it promises to node 2 now.
    LogIndex match_told() { return LogIndex{reply_told().match_index()}; }
    wire::AppendReply reply_told() {
        std::vector<std::byte> packet(1200);
        wire::PacketWriter writer(packet);
        voter_.write_records(now_, NodeId{2}, writer);
        packet.resize(writer.finish(wire::PacketHeader(0, 0, 0, 0, 1, 1, 2, 1, 1, 1)));
        auto reader = wire::PacketReader::open(packet, counters_);
        wire::AppendReply told{};
        for (wire::Record record; reader && reader->next(record);) {
            if (record.type == wire::RecordType::append_reply) told = record.as<wire::AppendReply>();
        }
        return told;
    }

    void sync() {
        while (step_disk(journal_)) {}
        voter_.on_durable(now_);
        voter_.advance(now_);
    }
    void begin_checkpoint() {
        journal_.begin_checkpoint();
        voter_.begin_checkpoint();
    }
    void end_checkpoint() {
        while (!journal_.checkpoint_takes_records()) DUNLIN_ASSERT(step_disk(journal_));
        DUNLIN_ASSERT(journal_.checkpoint_append(journal::RecordKind::format, std::as_bytes(std::span("format"))) == Status::ok);
        journal::RecordKind kind{};
        std::span<const std::byte> first;
        std::span<const std::byte> second;
        for (std::uint32_t i = 0; voter_.live_record(i, journal_.payload_bytes_max(), kind, first, second); ++i) {
            Status status = journal_.checkpoint_append(kind, first, second);
            for (; status == Status::busy; status = journal_.checkpoint_append(kind, first, second)) DUNLIN_ASSERT(step_disk(journal_));
            DUNLIN_ASSERT(status == Status::ok);
        }
        journal_.finish_checkpoint();
        voter_.end_checkpoint(journal_.appended());
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

    Status recovered_ = Status::busy;
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
    std::uint8_t level_;
    Voter voter_{
        {consensus_.storage(), ledger_storage(), replica_.service()}, {.self = NodeId{1}}, 1000, journal_, counters_, random_, events_};

  private:
    ledger::LedgerStorage ledger_storage() {
        ledger::LedgerStorage storage = replica_.ledger();
        storage.feature_level = level_;
        return storage;
    }

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

    ledger::Bootstrap bootstrap(const LedgerLimits& limits) {
        for (std::uint16_t i = 0; i < 3; ++i) {
            rows_[i] = ledger::voter_row(NodeId{static_cast<std::uint16_t>(i + 1)}, StorageId{101U + i}, std::as_bytes(std::span("a", 1)));
        }
        ledger::Bootstrap bootstrap;
        bootstrap.incarnation = ClusterIncarnation{5};
        bootstrap.limits = limits;
        bootstrap.voters = rows_;
        return bootstrap;
    }

    std::array<ledger::MemberRow, 3> rows_{};

    void format(const LedgerLimits& limits) {
        FormatPlan plan;
        plan.node = NodeId{1};
        plan.storage = StorageId{101};
        plan.stream = StreamId{1};
        plan.cluster = "test";
        plan.init = true;
        plan.bootstrap = bootstrap(limits);
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

TEST_F(VoterTest, whose_state_differs_from_the_leaders_says_so_and_stops_when_told_that_a_majority_agrees_with_the_leader) {
    hear_append(2, 2, 2, 2);
    ASSERT_EQ(report().applied, LogIndex{2});
    hear_state_hash(report().state_hash + 1);
    EXPECT_EQ(reply_told().flags(), kSuccess | consensus::kStateDiffers);
    EXPECT_EQ(report().replica, Status::ok);
    hear_from_leader(wire::Append(2, 2, 2, 2, 0, 3, 0, static_cast<std::uint32_t>(wire::AppendFlag::diverged), 0, 0));
    EXPECT_EQ(report().replica, Status::corrupt);
    EXPECT_EQ(diverged_events(), 1);
    EXPECT_EQ(counters_.get(Counter::replicas_diverged), 1U);
}

TEST_F(VoterTest, whose_state_is_the_leaders_says_so_and_does_not_stop_for_what_its_earlier_life_was_told) {
    hear_append(2, 2, 2, 2);
    hear_state_hash(report().state_hash);
    EXPECT_EQ(reply_told().flags(), kSuccess | consensus::kStateAgrees);
    hear_from_leader(wire::Append(2, 2, 2, 2, 0, 3, 0, static_cast<std::uint32_t>(wire::AppendFlag::diverged), 0, 0));
    EXPECT_EQ(report().replica, Status::ok);
}

TEST_F(VoterTest, that_meets_a_feature_level_that_it_does_not_know_stops_and_says_so) {
    const ledger::FeatureEntry feature{ledger::kFeatureLevel + 1, 0};
    const wire::EntryHead head(2, 0, sizeof feature, static_cast<std::uint8_t>(consensus::EntryType::feature), 0, 0);
    std::vector<std::byte> bytes(sizeof head + sizeof feature);
    std::memcpy(bytes.data(), &head, sizeof head);
    std::memcpy(bytes.data() + sizeof head, &feature, sizeof feature);
    hear_from_leader(wire::Append(2, 1, 1, 1, 0, 1, 1, 0, 0, 0), bytes);
    EXPECT_EQ(report().replica, Status::ok);  // it may come to nothing yet
    hear_from_leader(wire::Append(2, 2, 2, 2, 0, 2, 0, 0, 0, 0));
    EXPECT_EQ(report().replica, Status::unsupported_version);
    EXPECT_EQ(report().role, consensus::Role::member);
    EXPECT_EQ(diverged_events(), 1);
}

// Leads; its build knows one level more than its cluster uses.
class NewBuild : public VoterTest {
  protected:
    static constexpr std::uint8_t kNewer = ledger::kFeatureLevel + 1;

    NewBuild() : VoterTest(kLimits.ledger, kNewer) {
        constexpr auto kGranted = static_cast<std::uint32_t>(wire::VoteFlag::granted);
        constexpr auto kPreVote = static_cast<std::uint32_t>(wire::VoteFlag::pre_vote);
        now_ = voter_.next_deadline();
        voter_.on_timeout(now_);
        hear(2, wire::RecordType::vote_reply, wire::VoteReply(term(), term() + 1, kPreVote | kGranted, 0));
        hear(2, wire::RecordType::vote_reply, wire::VoteReply(term(), term(), kGranted, 0));
        DUNLIN_ASSERT(report().role == consensus::Role::leader);
    }

    std::uint64_t term() { return report().term.value(); }
    template <class S>
    void hear(std::uint16_t from, wire::RecordType type, const S& fixed) {
        (void)voter_.on_record(now_, {NodeId{from}, StorageId{100U + from}}, {type, bytes_of(fixed), {}});
        sync();
        sync();
    }
    // It has the whole log, and says which level it knows.
    void hear_level(std::uint16_t from, std::uint8_t level) {
        const std::uint64_t last = report().last_index.value();
        hear(from, wire::RecordType::append_reply, wire::AppendReply(term(), 0, last, 0, 0, kSuccess, 0, level, 0));
    }
};

TEST_F(NewBuild, leads_its_cluster_to_a_feature_level_that_every_member_knows_and_not_before) {
    hear_level(2, kNewer);
    ASSERT_EQ(report().commit, report().last_index);
    const LogIndex before = report().last_index;
    hear_level(3, ledger::kFeatureLevel);
    EXPECT_EQ(report().last_index, before);
    EXPECT_EQ(report().feature_level, ledger::kFeatureLevel);
    hear_level(3, kNewer);
    EXPECT_EQ(report().last_index, before.next());
    EXPECT_EQ(report().feature_level, ledger::kFeatureLevel);  // it is not committed
    voter_.advance(now_);
    hear_level(2, kNewer);
    EXPECT_EQ(report().feature_level, kNewer);
    hear_level(3, kNewer);
    EXPECT_EQ(report().last_index, before.next());  // asked for once
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

TEST_F(VoterTest, applies_nothing_while_a_checkpoint_holds_its_image) {
    hear_append(2, 2, 1, 2);
    ASSERT_EQ(report().applied, LogIndex{1});
    begin_checkpoint();
    hear_append(2, 2, 2, 2);
    ASSERT_EQ(report().commit, LogIndex{2});
    EXPECT_EQ(report().applied, LogIndex{1});
    end_checkpoint();
    EXPECT_EQ(report().applied, LogIndex{2});
}

TEST_F(VoterTest, installs_nothing_while_a_checkpoint_holds_its_image) {
    hear_append(2, 2, 1, 2);
    begin_checkpoint();
    hear_image(9);
    EXPECT_EQ(report().applied, LogIndex{1});
    end_checkpoint();
    EXPECT_EQ(report().applied, LogIndex{9});
    EXPECT_TRUE(voter_.wants_checkpoint());  // the image is not in the one that has just ended
    sync();
    EXPECT_EQ(match_told(), LogIndex{0});
}

TEST_F(VoterTest, acknowledges_an_image_only_when_the_checkpoint_with_it_is_durable) {
    hear_append(2, 2, 1, 2);
    hear_image(9);
    ASSERT_EQ(report().applied, LogIndex{9});
    sync();
    EXPECT_EQ(match_told(), LogIndex{0});
    ASSERT_TRUE(voter_.wants_checkpoint());
    begin_checkpoint();
    end_checkpoint();
    EXPECT_FALSE(voter_.wants_checkpoint());
    EXPECT_EQ(match_told(), LogIndex{0});  // written, but not yet durable
    sync();
    EXPECT_EQ(match_told(), LogIndex{9});
}

consteval LedgerLimits other_limits() {
    LedgerLimits limits = kLimits.ledger;
    ++limits.leases;
    return limits;
}

class VoterOfOtherLimits : public VoterTest {
  protected:
    VoterOfOtherLimits() : VoterTest(other_limits()) {}
};

TEST_F(VoterOfOtherLimits, stops_where_its_log_begins) {
    EXPECT_EQ(recovered_, Status::invalid_argument);
    EXPECT_EQ(report().replica, Status::invalid_argument);
    EXPECT_EQ(voter_.next_deadline(), kNever);  // so it never campaigns
    EXPECT_EQ(diverged_events(), 1);
    EXPECT_EQ(counters_.get(Counter::replicas_diverged), 1U);
}

}  // namespace
}  // namespace dunlin
