// A recorded life of a voter, its disk cut at every operation and inside each: the vote, the term and the entries that it had
// promised are there, what it has applied is what it had applied, and it goes on.
#include "journal/power_cut.hpp"
#include "consensus/lone_voter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>

namespace dunlin::consensus::test {
namespace {

using journal::test::Content;
using wire::RecordType;

constexpr ProcessLimits kLimits{.journal_buffer_bytes = 8192, .device_bytes = 32 * 1024};

struct Known {
    Term term{};
    NodeId voted_for{};                          // as it has told; 0: nobody in that term
    std::map<std::uint64_t, std::uint64_t> log;  // hashes of the entries in the ring, by index
    std::uint64_t last = 0;
};

std::uint64_t hash_of(const Entry& entry) {
    const std::uint64_t facts[] = {entry.term.value(), entry.time.value()};
    return fnv1a64(entry.payload, fnv1a64(std::as_bytes(std::span(facts)), 1));
}

std::map<std::uint64_t, std::uint64_t> entries_of(const Log& log) {
    std::map<std::uint64_t, std::uint64_t> all;
    for (LogIndex index = log.first_index(); index <= log.last_index(); index = index.next())
        all[index.value()] = hash_of(log.entry(index));
    return all;
}

// A voter that follows one leader after the other, votes, and gets an image; what it knew is noted at each record of its journal.
class Story {
  public:
    explicit Story(const ProcessLimits& limits) : voter_(3, StorageId{101}, limits) {
        recording.start = voter_.process->device.image();
        recording.geometry = limits.geometry;
        note(NodeId{});
        watch();
        voter_.process->device.on_change = [this](const journal::DeviceOp& op) {
            promises.push_back(voter_.process->journal.durable().value());
            recording.add(op);
        };
    }
    void tell() {
        for (std::uint64_t term = 2; term < 14; ++term) {
            const auto leader = static_cast<std::uint16_t>(2 + term % 2);
            voter_.advance(seconds{2});  // nobody leads; so it votes for whoever asks
            voter_.hear_vote_request(leader, term * 100, 9999, term * 100 - 1);
            note(NodeId{});
            step(3);
            if (voter_.last_told<wire::VoteReply>(leader, RecordType::vote_reply).flags() == kGranted) note(NodeId{leader});
            for (int batch = 0; batch < 6; ++batch) append(leader, term * 100, batch);
            if (term == 6) take_image(leader, term * 100);
        }
        promises.push_back(voter_.process->journal.durable().value());
    }

    // What is wrong with this voter, just started; empty: nothing.
    [[nodiscard]] std::string contradiction(LoneVoter& found, std::uint64_t promised) const {
        const Consensus& raft = found.raft();
        const std::uint64_t sequence = found.process->journal.appended().value();
        if (sequence < promised) return "a promised record is gone";
        auto after = known_.lower_bound(sequence);
        const auto before = after->first == sequence ? after : std::prev(after);
        if (raft.term() != before->second.term && raft.term() != after->second.term) return "a term that it was never in";
        const std::uint64_t last = raft.last_index().value();
        if (before == after && last != before->second.last) return "a log of another length";
        for (const auto& [index, hash] : entries_of(raft.log())) {
            if (!holds(before->second, index, hash) && !holds(after->second, index, hash)) return "an entry that it never had";
        }
        const auto applied = applied_.find(found.process->machine.point.index.value());
        if (applied == applied_.end() || applied->second != found.process->machine.hash) return "a state that it was never in";
        return vote_again(found, before == after ? before->second : Known{});
    }

    journal::test::Recording recording;
    std::vector<std::uint64_t> promises;  // sequence, before each change and after all

    [[nodiscard]] unsigned votes() const { return votes_; }
    [[nodiscard]] std::uint32_t checkpoints() const { return voter_.process->counters.get(Counter::journal_compactions); }

  private:
    static bool holds(const Known& known, std::uint64_t index, std::uint64_t hash) {
        const auto entry = known.log.find(index);
        return entry != known.log.end() && entry->second == hash;
    }
    // Whoever else asks in a term in which it has voted is refused.
    static std::string vote_again(LoneVoter& found, const Known& known) {
        if (known.voted_for == NodeId{} || found.raft().term() != known.term) return "";
        const auto other = static_cast<std::uint16_t>(5 - known.voted_for.value());
        found.advance(seconds{2});
        if (found.raft().term() != known.term) return "";
        found.hear_vote_request(other, known.term.value(), 9999, known.term.value());
        found.sync();
        const auto reply = found.last_told<wire::VoteReply>(other, RecordType::vote_reply);
        return reply.flags() == 0 ? "" : "it votes twice in a term";
    }

    void watch() {
        applied_[0] = Machine{}.hash;
        voter_.process->on_apply = [this](const Entry&) { note_machine(); };
    }
    // Before an entry is applied, and whenever something is noted.
    void note_machine() { applied_[voter_.process->machine.point.index.value()] = voter_.process->machine.hash; }
    void note(NodeId voted_for) {
        note_machine();
        const Consensus& raft = voter_.raft();
        if (voted_for != NodeId{}) voted_for_ = {raft.term(), voted_for};
        votes_ += voted_for != NodeId{} ? 1 : 0;
        // The first that is known at a record: an image that is adopted later is in the records of its checkpoint.
        Known now{raft.term(), NodeId{}, entries_of(raft.log()), raft.last_index().value()};
        Known& known = known_.try_emplace(voter_.process->journal.appended().value(), std::move(now)).first->second;
        if (voted_for_.first == known.term) known.voted_for = voted_for_.second;
    }
    void step(int operations) {
        while (operations-- > 0 && voter_.process->step_disk()) {}
        voter_.raft().on_durable(voter_.now);
        voter_.process->settle();
        note(NodeId{});
    }
    // Some replace what the leader before has left uncommitted.
    void append(std::uint16_t leader, std::uint64_t term, int batch) {
        const Log& log = voter_.raft().log();
        const std::uint64_t commit = voter_.raft().commit().value();
        const std::uint64_t prev = batch == 0 ? std::max(commit, log.base().index.value()) : log.last_index().value();
        std::vector<EntrySpec> entries;
        for (std::uint64_t i = 0; i < 1 + random_.below(3); ++i)
            entries.push_back({term, term, std::string(static_cast<std::size_t>(20 + random_.below(200)), static_cast<char>('a' + batch))});
        voter_.hear_append(leader, term, prev, log.term_at(LogIndex{prev}).value(), std::max(commit, prev - prev % 3), entries);
        note(NodeId{});
        step(static_cast<int>(random_.below(4)));
        (void)voter_.told(leader);
    }
    void take_image(std::uint16_t leader, std::uint64_t term) {
        Machine machine = voter_.process->machine;
        machine.point.index = LogIndex{machine.point.index.value() + 100};
        machine.point.term = Term{term};
        machine.hash *= 31;
        const std::vector<std::byte> image = machine.image();
        for (std::uint32_t offset = 0; offset < image.size(); offset += 1000) {
            const wire::SnapshotChunk chunk(term, machine.point.index.value(), term, machine.point.time.value(), 1 + offset,
                                            static_cast<std::uint32_t>(image.size()), offset, crc32c(image), 0);
            voter_.hear(leader, RecordType::snapshot_chunk, chunk, std::span(image).subspan(offset, 1000));
        }
        for (int i = 0; i < 12; ++i) step(1);
    }

    LoneVoter voter_;
    Random random_{11};
    std::pair<Term, NodeId> voted_for_{};
    unsigned votes_ = 0;
    std::map<std::uint64_t, Known> known_;            // by sequence of the last record
    std::map<std::uint64_t, std::uint64_t> applied_;  // hash of the machine, by index
};

// What is wrong with a voter that follows a new leader from here on; empty: nothing.
std::string goes_on(LoneVoter& voter) {
    const std::uint64_t term = voter.raft().term().value() + 1;
    const std::uint64_t last = voter.raft().last_index().value();
    voter.sync();  // a torn tail is replaced first
    voter.sync();
    voter.hear_append(2, term, last, voter.raft().log().last_term().value(), 0, {{term, 9999, "after"}});
    voter.sync();
    if (voter.last_told<wire::AppendReply>(2, RecordType::append_reply).match_index() != last + 1) return "it takes no entry";
    voter.crash_and_restart();
    return voter.raft().last_index().value() == last + 1 && voter.raft().term() == Term{term} ? "" : "it forgets what it took afterwards";
}

void cut_everywhere(const ProcessLimits& limits, const char* medium) {
    Story story(limits);
    story.tell();
    std::size_t cuts = 0;
    std::size_t failures = 0;
    std::string first;
    LoneVoter voter(3, StorageId{101}, limits);
    for_each_power_cut(story.recording, [&](std::size_t at, const Content& content) {
        ++cuts;
        voter.restart_with(content);
        std::string wrong = story.contradiction(voter, story.promises[at]);
        if (wrong.empty()) wrong = goes_on(voter);
        if (wrong.empty()) return;
        if (++failures > 1) return;
        std::ostringstream text;
        text << "in operation " << at << ": " << wrong;
        first = text.str();
    });
    std::cout << "power cut: " << cuts << " cut points of a voter on " << medium << ", " << failures << " failures\n";
    EXPECT_EQ(failures, 0U) << first;
    EXPECT_GE(story.checkpoints(), 3U);
    EXPECT_GE(story.votes(), 6U);
    EXPECT_GT(cuts, 1000U);
}

TEST(PowerCut, at_any_operation_and_inside_it_keeps_every_promise_of_a_voter) { cut_everywhere(kLimits, "a file"); }

TEST(PowerCut, at_any_operation_and_inside_it_keeps_every_promise_of_a_voter_on_flash) {
    ProcessLimits limits = kLimits;
    limits.geometry = {4096, 32};
    cut_everywhere(limits, "flash");
}

}  // namespace
}  // namespace dunlin::consensus::test
