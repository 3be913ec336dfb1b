#pragma once

#include <dunlin/consensus/entry.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::consensus {

// One entry as the ring keeps it.
struct LogSlot {
    std::uint64_t term = 0;
    std::uint64_t time = 0;
    std::uint64_t sequence = 0;  // JournalSequence that makes it durable
    std::uint32_t offset = 0;    // of its payload in the byte ring
    std::uint16_t length = 0;
    EntryType type = EntryType::none;
    std::uint8_t reserved = 0;
};

struct LogStorage {
    std::span<LogSlot> slots{};
    std::span<std::byte> bytes{};
};

// The end of the replicated log that is still in memory: a table of entries and a ring of their payloads, each payload
// in one piece. Entries up to base() were dropped; of the base itself index, term and time are known.
// Invariants: indices are consecutive; terms and times never decrease; payloads of entries in the ring never overlap.
class Log {
  public:
    explicit Log(const LogStorage& storage) : slots_(storage.slots), bytes_(storage.bytes) {}

    [[nodiscard]] const ImagePoint& base() const { return base_; }
    [[nodiscard]] LogIndex first_index() const { return base_.index.next(); }
    [[nodiscard]] LogIndex last_index() const { return base_.index.plus(count_); }
    [[nodiscard]] Term last_term() const { return term_at(last_index()); }
    [[nodiscard]] ClusterTime last_time() const;
    [[nodiscard]] bool empty() const { return count_ == 0; }

    [[nodiscard]] bool contains(LogIndex index) const { return index > base_.index && index <= last_index(); }
    // Term of an entry in [base, last].
    [[nodiscard]] Term term_at(LogIndex index) const;
    [[nodiscard]] Entry entry(LogIndex index) const;  // contains(index)
    [[nodiscard]] std::size_t length_at(LogIndex index) const { return slot(index).length; }
    // The largest index in [base, from] whose term is at most `term`; base where there is none. O(entries passed).
    [[nodiscard]] LogIndex last_not_after(LogIndex from, Term term) const;
    // The last index such that it and all before it are durable once the journal is durable up to `durable`.
    // Only what is in the log now counts, so a late completion for an entry since replaced says nothing. O(not durable).
    [[nodiscard]] LogIndex durable_index(JournalSequence durable) const;

    // Moves the payloads to the front of the byte ring, so that all that is free is one piece: where the same entries began
    // elsewhere (in another voter's ring, or before a checkpoint) they may leave it in two that are too short. O(bytes).
    void compact();
    // Whether an entry of `length` bytes fits now, leaving `reserve` more slots free.
    [[nodiscard]] bool fits(std::size_t length, std::size_t reserve = 0) const;
    // Adds the entry after the last one; its payload is `first` then `second`. fits() must hold. O(length).
    void append(Term term, ClusterTime time, EntryType type, std::span<const std::byte> first, std::span<const std::byte> second = {});
    void set_last_sequence(JournalSequence sequence);
    void drop_first();                    // the oldest entry becomes the base; not empty
    void truncate_after(LogIndex index);  // index >= base
    // Forgets everything and begins after `point`, which is durable at `sequence`.
    void reset(const ImagePoint& point, JournalSequence sequence);
    // Lets go of what `point` covers; keeps the entries after it where entry `point.index` is the same entry.
    void reset_keeping_suffix(const ImagePoint& point, JournalSequence sequence);
    void set_base_sequence(JournalSequence sequence) { base_sequence_ = sequence.value(); }

  private:
    [[nodiscard]] std::size_t position(LogIndex index) const;
    [[nodiscard]] std::size_t slot_after(std::size_t entries) const;  // of the oldest entry: 0
    [[nodiscard]] const LogSlot& slot(LogIndex index) const { return slots_[position(index)]; }
    [[nodiscard]] LogSlot& slot(LogIndex index) { return slots_[position(index)]; }
    // Where `length` bytes would go in one piece; false where there is no such place.
    [[nodiscard]] bool place(std::size_t length, std::size_t& offset) const;

    std::span<LogSlot> slots_;
    std::span<std::byte> bytes_;
    ImagePoint base_{};
    std::uint64_t base_sequence_ = 0;
    std::size_t head_ = 0;  // slot of first_index()
    std::size_t count_ = 0;
    std::size_t tail_ = 0;  // byte after the newest payload
};

}  // namespace dunlin::consensus
