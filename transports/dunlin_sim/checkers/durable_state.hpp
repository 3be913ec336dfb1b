#pragma once

#include <dunlin/consensus/entry.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/journal/bank_header.hpp>
#include <dunlin/journal/record.hpp>
#include <dunlin_sim/checkers/durable_bus.hpp>
#include <dunlin_sim/world.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace dunlin::sim {

// What a node would know of itself if the power went now and none of its unsynced writes had survived: read off the synced
// bytes of its disk as the journal's format says (journal/record.hpp), by no code of recovery's own. What is promised is
// kept: identity, term and vote, the log, fence floors, and what DurableBus says.
// Each read() goes on where the last one ended: O(records synced since), or O(bank) after a checkpoint.
class DurableState {
  public:
    struct Entry {
        Term term{};
        ClusterTime time{};
        consensus::EntryType type{};
        std::vector<std::byte> payload;
    };

    // How the journal moved on to the bank that counts.
    struct Compaction {
        std::uint64_t generation = 0;     // of that bank; 0: none is known, or a crash came in between
        std::uint32_t bank_bytes = 0;     // of the bank before it
        std::uint32_t used_bytes = 0;     // of that, when it was left
        std::uint32_t won_bytes = 0;      // what had been appended there since its own checkpoint
        std::uint32_t longest_bytes = 0;  // that a record may be
    };

    // Takes in what was synced since the last call. True: something that is kept here itself has changed. `crashed`: in between.
    bool read(std::span<const std::byte> synced, bool crashed);

    [[nodiscard]] StorageId storage() const { return StorageId{header_.storage}; }  // 0: not formatted
    [[nodiscard]] BootEpoch epoch() const { return state_.epoch; }                  // of the last life that wrote one
    [[nodiscard]] Term term() const { return state_.term; }
    [[nodiscard]] NodeId voted_for() const { return state_.voted_for; }  // 0: nobody in that term
    [[nodiscard]] Token floor(LeaseKey lease) const;                     // 0: none
    [[nodiscard]] const DurableBus& bus() const { return state_.bus; }
    [[nodiscard]] const Compaction& compaction() const { return compaction_; }
    // Records have been appended to this bank in this life, and the one before it still says that it counts: were this one's head
    // to rot, that one would be taken for the truth.
    [[nodiscard]] bool two_banks_count() const { return two_active_ && expected_ > appends_from_; }
    // The log: everything up to base() is in the ledger's image, or was read so long ago that it is forgotten here.
    [[nodiscard]] LogIndex base() const { return state_.base; }
    [[nodiscard]] LogIndex last_index() const { return state_.base.plus(state_.log.size()); }
    [[nodiscard]] Term last_term() const { return state_.log.empty() ? state_.base_term : state_.log.back().term; }
    [[nodiscard]] const Entry* entry(LogIndex index) const;  // nullptr: not after base(), or not there
    // Whether the log holds that entry; true also where it is too old to tell.
    [[nodiscard]] bool holds(LogIndex index, Term term) const;

  private:
    // The log's end that is kept: more than any voter's ring.
    static constexpr std::size_t kEntriesMax = 512;

    struct Content {
        BootEpoch epoch{};
        Term term{};
        NodeId voted_for{};
        LogIndex base{};
        Term base_term{};
        std::deque<Entry> log;
        std::map<LeaseKey, Token> floors;
        DurableBus bus;
    };
    [[nodiscard]] bool choose_bank(std::span<const std::byte> synced);
    [[nodiscard]] bool record_at(std::span<const std::byte> bank, std::uint32_t at, std::uint64_t sequence,
                                 journal::RecordHead& head) const;
    bool take(journal::RecordKind kind, std::span<const std::byte> payload);
    void take_entry(std::span<const std::byte> payload);
    void take_image_chunk(std::span<const std::byte> payload);

    Content state_;
    std::array<std::array<std::byte, journal::kBankHeaderBytes>, 2> heads_{};  // of both banks, as last read
    journal::BankHeader header_{};                                             // of the bank that counts
    std::size_t bank_at_ = 0;                                                  // where it begins
    std::uint32_t position_ = 0;                                               // in it: behind the last whole batch
    std::uint32_t checkpoint_end_ = 0;                                         // in it: behind the last record of its checkpoint
    std::uint64_t appends_from_ = 0;  // sequence of the first record after its checkpoint, or after the last crash
    std::uint64_t expected_ = 0;      // sequence of the next record
    std::uint32_t salt_ = 0;
    std::uint32_t seed_ = 0;
    bool two_active_ = false;  // heads say so
    Compaction compaction_;
};

// That of every process of a world, as of now.
class DurableStates {
  public:
    explicit DurableStates(World& world) : world_(world) {}
    [[nodiscard]] const DurableState& of(std::size_t process);
    // Grows with every change.
    [[nodiscard]] std::uint64_t version(std::size_t process);

  private:
    struct Followed {
        DurableState state;
        std::uint64_t version = 0;
        std::uint64_t syncs = 0;
        std::uint32_t life = 0;
        bool read = false;
    };
    Followed& follow(std::size_t process);

    World& world_;
    std::vector<Followed> followed_;
};

}  // namespace dunlin::sim
