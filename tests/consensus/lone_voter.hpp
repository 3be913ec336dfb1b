#pragma once

#include "consensus/voter_process.hpp"

#include <memory>
#include <string>
#include <vector>

namespace dunlin::consensus::test {

inline constexpr auto kPreVote = static_cast<std::uint32_t>(wire::VoteFlag::pre_vote);
inline constexpr auto kGranted = static_cast<std::uint32_t>(wire::VoteFlag::granted);
inline constexpr auto kTransfer = static_cast<std::uint32_t>(wire::VoteFlag::transfer);
inline constexpr auto kSuccess = static_cast<std::uint32_t>(wire::AppendReplyFlag::success);

struct EntrySpec {
    std::uint64_t term;
    std::uint64_t time;
    std::string text;
    EntryType type = EntryType::command;
};

inline ConfigChange change_of(ChangeOp op, std::uint16_t node, std::uint64_t storage = 0) {
    return {storage == 0 ? 100U + node : storage, node, static_cast<std::uint8_t>(op), 0, 0};
}
// An entry that changes a member, as a leader would send it.
inline EntrySpec change_entry(std::uint64_t term, ChangeOp op, std::uint16_t node, std::uint64_t storage = 0) {
    const ConfigChange change = change_of(op, node, storage);
    return {term, 0, std::string(reinterpret_cast<const char*>(&change), sizeof change), EntryType::members};
}

// A record as it left, kept beyond its packet.
struct Told {
    wire::RecordType type;
    std::vector<std::byte> fixed;
    std::vector<std::byte> bytes;

    template <class S>
    [[nodiscard]] S as() const {
        return wire::load<S>(fixed);
    }
};

// Voter 1 of the voters 1, 2 and 3 (storages 101..103), alone with a test that plays the others. Its disk stands still until
// sync(). Entry 1 is the bootstrap entry of term 1.
class LoneVoter {
  public:
    explicit LoneVoter(std::size_t voters = 3, StorageId storage = StorageId{101}, const ProcessLimits& limits = {})
        : storage_(storage), limits_(limits), device_(limits.device_bytes, limits.geometry) {
        for (std::uint16_t i = 1; i <= voters; ++i) members_.push_back({{NodeId{i}, StorageId{100U + i}}, Standing::voter});
        VoterProcess::format(device_, text_bytes("voters"));
        boot();
    }

    void boot() {
        ConsensusOptions options;
        options.self = NodeId{1};
        options.election_rank = limits_.election_rank;
        process = std::make_unique<VoterProcess>(options, limits_, device_, 7);
        process->founders = members_;
        process->recover();
        if (!raft().members_known()) raft().set_members(members_);
        raft().start(now, storage_);
        process->settle();
    }
    // Only what was synced survives.
    void crash_and_restart() {
        process.reset();
        device_.power_loss_keeping({});
        boot();
    }
    void restart_with(const journal::test::Content& content) {
        process.reset();
        device_.become(content);
        boot();
    }

    [[nodiscard]] Consensus& raft() { return process->consensus; }
    void sync() { process->sync(now); }
    void advance(Duration duration) {
        const Instant end = now + duration;
        while (raft().next_deadline() <= end) {
            now = std::max(now, raft().next_deadline());
            raft().on_timeout(now);
            if (!stalled) process->settle();
        }
        now = end;
    }

    template <class S>
    void hear(std::uint16_t from, wire::RecordType type, const S& fixed, std::span<const std::byte> bytes = {}, std::uint64_t storage = 0) {
        std::vector<std::byte> packet(1400);
        wire::PacketWriter writer(packet);
        DUNLIN_ASSERT(writer.record(type, fixed, bytes));
        packet.resize(writer.finish(wire::PacketHeader(0, 0, 0, 0, 1, from, 1, 1, 1, 1)));
        auto reader = wire::PacketReader::open(packet, process->counters);
        wire::Record record;
        DUNLIN_ASSERT(reader && reader->next(record));
        const StorageId origin{storage == 0 ? 100U + from : storage};
        DUNLIN_ASSERT(raft().on_record(now, {NodeId{from}, origin}, record));
        if (!stalled) process->settle();
    }
    void hear_append(std::uint16_t from, std::uint64_t term, std::uint64_t prev, std::uint64_t prev_term, std::uint64_t commit,
                     const std::vector<EntrySpec>& entries, std::uint64_t time = 0, std::uint64_t round = 1) {
        std::vector<std::byte> bytes;
        for (const EntrySpec& entry : entries) {
            const wire::EntryHead head(entry.term, entry.time, static_cast<std::uint16_t>(entry.text.size()),
                                       static_cast<std::uint8_t>(entry.type), 0, 0);
            const auto part = bytes_of(head);
            bytes.insert(bytes.end(), part.begin(), part.end());
            const auto payload = text_bytes(entry.text);
            bytes.insert(bytes.end(), payload.begin(), payload.end());
            bytes.resize((bytes.size() + 7) / 8 * 8);
        }
        hear(from, wire::RecordType::append,
             wire::Append(term, prev, prev_term, commit, time, round, static_cast<std::uint32_t>(entries.size()), 0, 0, 0), bytes);
    }
    void hear_match(std::uint16_t from, std::uint64_t index, std::uint64_t round = 0, std::uint64_t storage = 0) {
        hear(from, wire::RecordType::append_reply, wire::AppendReply(raft().term().value(), round, index, 0, 0, kSuccess, 0, 0, 0), {},
             storage);
    }
    void hear_vote_request(std::uint16_t from, std::uint64_t term, std::uint64_t last_index, std::uint64_t last_term,
                           std::uint32_t flags = 0) {
        hear(from, wire::RecordType::vote_request, wire::VoteRequest(term, last_index, last_term, flags, 0));
    }

    // Everything that leaves for `to` now, in packets of `packet_bytes`.
    std::vector<Told> told(std::uint16_t to, std::size_t packet_bytes = 1200) {
        std::vector<Told> all;
        for (int packets = 0; raft().wants_to_send(NodeId{to}) && packets < 50; ++packets) {
            std::vector<std::byte> packet(packet_bytes);
            wire::PacketWriter writer(packet);
            raft().write_records(now, NodeId{to}, writer);
            if (writer.empty()) break;
            packet.resize(writer.finish(wire::PacketHeader(0, 0, 0, 0, 1, 1, to, 1, 1, 1)));
            auto reader = wire::PacketReader::open(packet, process->counters);
            wire::Record record;
            while (reader->next(record)) {
                all.push_back({record.type, {record.fixed.begin(), record.fixed.end()}, {record.bytes.begin(), record.bytes.end()}});
            }
        }
        return all;
    }
    // The last record of a type that leaves for `to` now; a zeroed one where there is none.
    template <class S>
    S last_told(std::uint16_t to, wire::RecordType type) {
        S found{};
        for (const Told& record : told(to)) {
            if (record.type == type) found = record.as<S>();
        }
        return found;
    }

    [[nodiscard]] Standing standing(std::uint16_t node) const {
        for (std::size_t i = 0; i < process->consensus.member_count(); ++i) {
            const Member member = process->consensus.member(i);
            if (member.id.node == NodeId{node}) return member.standing;
        }
        return Standing::none;
    }
    Status change(ChangeOp op, std::uint16_t node, std::uint64_t storage = 0) {
        const Status status = raft().propose_change(now, change_of(op, node, storage), text_bytes("address")).status();
        process->settle();
        return status;
    }

    // Campaigns and wins with the vote of 2; its no-op is in the log and durable.
    void lead() {
        while (raft().role() != Role::pre_candidate) advance(milliseconds{100});
        hear(2, wire::RecordType::vote_reply, wire::VoteReply(raft().term().value(), raft().term().value() + 1, kPreVote | kGranted, 0));
        sync();
        hear(2, wire::RecordType::vote_reply, wire::VoteReply(raft().term().value(), raft().term().value(), kGranted, 0));
        DUNLIN_ASSERT(raft().role() == Role::leader);
        sync();
    }

    Instant now{};
    bool stalled = false;  // the node is slow: it neither applies nor installs what it heard
    std::unique_ptr<VoterProcess> process;

  private:
    StorageId storage_;
    ProcessLimits limits_;
    MemoryDevice device_;
    std::vector<Member> members_;
};

}  // namespace dunlin::consensus::test
