#pragma once

#include <dunlin/consensus/types.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/journal/record_kind.hpp>
#include <dunlin/ledger/image.hpp>
#include <dunlin/node/status_report.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <cstdint>
#include <span>

namespace dunlin {

// What a voter adds to a node. Node knows it only through this interface, so that the image of a board that does not vote
// carries no consensus. Implemented by Voter; a node has one or none.
class Coordinator {
  public:
    // ---- Recovery: records in journal order, then recovered() once, then start().
    virtual Status replay(Instant now, journal::RecordKind kind, std::span<const std::byte> bytes) = 0;
    virtual Status recovered(Instant now) = 0;
    virtual void start(Instant now, StorageId storage) = 0;

    // ---- Input. on_record: false where the record is not a voter's. Each may be followed by advance().
    virtual bool on_record(Instant now, const consensus::Origin& from, const wire::Record& record) = 0;
    virtual void on_session_open(NodeId peer) = 0;
    virtual void owe_voters(NodeId peer) = 0;  // tells it who votes
    virtual void on_timeout(Instant now) = 0;
    virtual void on_durable(Instant now) = 0;
    virtual void advance(Instant now) = 0;  // applies what is committed, and answers
    [[nodiscard]] virtual Instant next_deadline() const = 0;

    // ---- Output
    [[nodiscard]] virtual bool wants_to_send(NodeId to) const = 0;
    virtual void write_records(Instant now, NodeId to, wire::PacketWriter& writer) = 0;

    // ---- Checkpoints. Between begin_checkpoint() and end_checkpoint() nothing is applied. live_record() gives record
    // 0, 1, 2, ... until false; a record's bytes are valid until the next call. `gate`: durable when the checkpoint is.
    [[nodiscard]] virtual bool wants_checkpoint() const = 0;
    virtual void begin_checkpoint() = 0;
    [[nodiscard]] virtual bool live_record(std::uint32_t position, std::size_t bytes_max, journal::RecordKind& kind,
                                           std::span<const std::byte>& first, std::span<const std::byte>& second) = 0;
    virtual void end_checkpoint(JournalSequence gate) = 0;

    virtual void hand_over(Instant now) = 0;
    virtual void report(Instant now, StatusReport& report) const = 0;
    // 0 until the first log entry is known here.
    [[nodiscard]] virtual ClusterIncarnation incarnation() const = 0;
    // One slot a member, storage 0 where there is none; slot < kVotersMax.
    [[nodiscard]] virtual ledger::MemberRow member(std::size_t slot) const = 0;
    // Log index of the entry that changed them last; 0: not known.
    [[nodiscard]] virtual LogIndex members_index() const = 0;
    // Whether that is another one than at the last call.
    [[nodiscard]] virtual bool take_members_changed() = 0;

  protected:
    ~Coordinator() = default;
};

}  // namespace dunlin
