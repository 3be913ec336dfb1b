#pragma once

#include "journal/memory_device.hpp"

#include <dunlin/consensus/consensus.hpp>
#include <dunlin/core/checksum.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

namespace dunlin::consensus::test {

using journal::DeviceOp;
using journal::test::MemoryDevice;

inline constexpr std::size_t kImageBytes = 3000;  // three chunks

inline std::span<const std::byte> text_bytes(std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); }

// What the tests replicate: a hash over everything applied. Its image is longer than a packet.
struct Machine {
    ImagePoint point{};
    std::uint64_t hash = 1;
    std::array<Member, kVotersMax> rows{};  // the members as of `point`, in no order; standing none: free

    [[nodiscard]] std::vector<Member> members() const {
        std::vector<Member> all;
        for (const Member& row : rows) {
            if (row.standing != Standing::none) all.push_back(row);
        }
        return all;
    }
    void change(const ConfigChange& change) {
        Member* row = nullptr;
        for (Member& each : rows) {
            if (each.standing != Standing::none && each.id.node == NodeId{change.node}) row = &each;
        }
        for (Member& each : rows) {
            if (row == nullptr && each.standing == Standing::none) row = &(each = {{NodeId{change.node}, StorageId{change.storage}}, {}});
        }
        DUNLIN_ASSERT(row != nullptr);
        const auto after = standing_after(*row, change);
        DUNLIN_ASSERT(after.has_value());
        row->standing = *after;
    }
    void apply(const Entry& entry, std::span<const Member> founders) {
        if (entry.type == EntryType::bootstrap) std::ranges::copy(founders, rows.begin());
        if (entry.type == EntryType::members) change(*change_in(entry.payload));
        point = {entry.index, entry.term, entry.time};
        const std::uint64_t facts[] = {entry.index.value(), entry.term.value(), entry.time.value(), static_cast<std::uint64_t>(entry.type)};
        hash = fnv1a64(std::as_bytes(std::span(facts)), hash);
        hash = fnv1a64(entry.payload, hash);
    }
    [[nodiscard]] std::vector<std::byte> image() const {
        std::vector<std::byte> bytes(kImageBytes);
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(hash * (i + 1) >> 24U);
        std::memcpy(bytes.data(), this, sizeof(*this));
        return bytes;
    }
    void install(std::span<const std::byte> bytes) { std::memcpy(static_cast<void*>(this), bytes.data(), sizeof(*this)); }
};
static_assert(sizeof(Machine) <= kImageBytes);

struct ProcessLimits {
    std::size_t log_entries = 32;
    std::size_t log_bytes = 4096;
    std::size_t journal_buffer_bytes = 8192;
    std::uint8_t election_rank = 0;
    std::size_t device_bytes = std::size_t{64} * 1024;
    journal::Geometry geometry{};
};

// One life of a voter: consensus over a real journal, with the machine it replicates. The device outlives it.
class VoterProcess {
  public:
    VoterProcess(const ConsensusOptions& options, const ProcessLimits& limits, MemoryDevice& on, std::uint64_t seed)
        : device(on),
          random(seed),
          event_slots_(64),
          events(event_slots_, counters),
          journal_buffer_(limits.journal_buffer_bytes),
          journal({journal_buffer_}, counters, on.geometry()),
          slots_(limits.log_entries),
          bytes_(limits.log_bytes),
          staging_(kImageBytes),
          consensus({{slots_, bytes_}, staging_, peers_}, options, journal, counters, random, events) {}

    // Gives the device a journal; `bootstrap` (may be empty) is what `init` writes as entry 1.
    static void format(MemoryDevice& device, std::span<const std::byte> bootstrap) {
        Counters counters;
        std::vector<std::byte> buffer(8192);
        journal::Journal fresh({buffer}, counters, device.geometry());
        fresh.format(device.size(), StorageId{1});
        const auto drain = [&] {
            while (const auto op = fresh.poll_op()) {
                const Status status = device.perform(*op);
                fresh.on_complete(op->id, status, device.bytes_read(*op));
            }
        };
        drain();
        DUNLIN_ASSERT(fresh.checkpoint_append(journal::RecordKind::format, text_bytes("format")) == Status::ok);
        if (!bootstrap.empty()) {
            const HardStateRecord hard = bootstrap_hard_state();
            const LogEntryRecord entry = bootstrap_log_entry();
            DUNLIN_ASSERT(fresh.checkpoint_append(journal::RecordKind::hard_state, bytes_of(hard)) == Status::ok);
            DUNLIN_ASSERT(fresh.checkpoint_append(journal::RecordKind::log_entry, bytes_of(entry), bootstrap) == Status::ok);
        }
        fresh.finish_checkpoint();
        drain();
    }

    // As the owner of a Consensus does after recovery and after each record: says who the members are, once that is known.
    void learn_members() {
        if (consensus.members_known()) return;
        if (machine.point.index != LogIndex{}) return consensus.set_members(machine.members());
        if (consensus.unread_bootstrap()) consensus.set_members(founders);
    }
    // Reads the journal back and applies what it knows to be committed.
    void recover() {
        journal.open(device.size());
        while (journal.state() == journal::State::recovering) {
            journal::RecoveredRecord record;
            while (journal.next_recovered(record)) replay(record);
            step_disk();
        }
        DUNLIN_ASSERT(journal.state() == journal::State::ready);
        apply();
        learn_members();
    }

    void apply() {
        if (frozen_) return;
        while (const auto entry = consensus.next_to_apply()) {
            if (on_apply) on_apply(*entry);
            machine.apply(*entry, founders);
            consensus.applied(entry->index, machine.hash);
        }
    }

    // Everything the owner of a Consensus does after an input, except sending and the disk's time.
    void settle() {
        learn_members();
        apply();
        const auto received = consensus.received_image();
        if (received && !frozen_) {
            machine.install(received->bytes);
            consensus.adopt_image();
            consensus.set_members(machine.members());
            installing_ = true;
        }
        if (consensus.wants_image()) DUNLIN_ASSERT(consensus.provide_image(machine.point, machine.image()) == Status::ok);
        checkpoint();
    }

    // One device operation from start to end; false when there is none.
    bool step_disk() {
        const std::optional<DeviceOp> op = journal.poll_op();
        if (!op) return false;
        const Status status = device.perform(*op);
        journal.on_complete(op->id, status, device.bytes_read(*op));
        return true;
    }
    // Everything appended becomes durable.
    void sync(Instant now) {
        while (step_disk()) {}
        consensus.on_durable(now);
        settle();
        while (step_disk()) {}
        consensus.on_durable(now);
        settle();
    }

    MemoryDevice& device;
    Counters counters;
    Random random;
    std::vector<Member> founders;  // what entry 1 means

  private:
    void replay(const journal::RecoveredRecord& record) {
        if (record.kind == journal::RecordKind::image_chunk) {
            machine.install(record.bytes);
            consensus.restore_image(machine.point);
            return;
        }
        if (record.kind != journal::RecordKind::hard_state && record.kind != journal::RecordKind::log_entry) return;
        Status status = consensus.replay(record.kind, record.bytes);
        if (status == Status::busy) {
            apply();
            status = consensus.replay(record.kind, record.bytes);
        }
        DUNLIN_ASSERT(status == Status::ok);
    }

    void checkpoint() {
        if (!frozen_ && (installing_ || journal.needs_checkpoint()) && !journal.checkpointing()) {
            journal.begin_checkpoint();
            frozen_ = true;
            emitted_ = false;
        }
        if (!frozen_) return;
        if (!emitted_ && journal.checkpoint_takes_records()) emit();
        if (emitted_ && !journal.checkpointing()) frozen_ = false;
    }
    void emit() {
        const auto put = [&](journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
            Status status = journal.checkpoint_append(kind, first, second);
            while (status == Status::busy) {
                DUNLIN_ASSERT(step_disk());
                status = journal.checkpoint_append(kind, first, second);
            }
            DUNLIN_ASSERT(status == Status::ok);
        };
        put(journal::RecordKind::format, text_bytes("format"), {});
        if (machine.point.index != LogIndex{}) put(journal::RecordKind::image_chunk, machine.image(), {});
        LiveRecord live;
        for (std::uint32_t i = 0; consensus.live_record(machine.point.index, i, live); ++i) put(live.kind, live.first, live.second);
        journal.finish_checkpoint();
        emitted_ = true;
        if (installing_) consensus.image_installed(journal.appended());
        installing_ = false;
    }

    std::vector<Event> event_slots_;

  public:
    EventQueue events;

  private:
    std::vector<std::byte> journal_buffer_;

  public:
    journal::Journal journal;

  private:
    std::vector<LogSlot> slots_;
    std::vector<std::byte> bytes_;
    std::vector<std::byte> staging_;
    std::array<Progress, kVotersMax + 1> peers_{};

  public:
    Consensus consensus;
    Machine machine;
    std::function<void(const Entry&)> on_apply;

  private:
    bool frozen_ = false;  // a checkpoint is being written
    bool emitted_ = false;
    bool installing_ = false;  // that checkpoint holds a received image
};

}  // namespace dunlin::consensus::test
