#include <dunlin_sim/checkers/durable_state.hpp>

#include <dunlin/bus/records.hpp>
#include <dunlin/consensus/journal_records.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/ledger/image.hpp>
#include <dunlin/node/records.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::sim {

using journal::kBankHeaderBytes;
using journal::kHeaderSectorBytes;

// ---- The journal's format ---------------------------------------------------------------------------------------------------

// True: another bank counts now, and is to be read from its start.
bool DurableState::choose_bank(std::span<const std::byte> synced) {
    const std::size_t half = synced.size() / 2 / kHeaderSectorBytes * kHeaderSectorBytes;
    bool same = true;
    for (std::size_t bank = 0; bank < 2; ++bank) {
        const std::span<const std::byte> head = synced.subspan(bank * half, kBankHeaderBytes);
        if (std::memcmp(head.data(), heads_[bank].data(), head.size()) == 0) continue;
        std::ranges::copy(head, heads_[bank].begin());
        same = false;
    }
    if (same) return false;
    journal::BankHeader best{};
    std::size_t best_at = 0;
    std::size_t active = 0;
    for (std::size_t bank = 0; bank < 2; ++bank) {
        journal::BankHeader header{};
        const bool valid = journal::read_bank_header(heads_[bank], header) == journal::BankHeaderKind::valid;
        if (!valid || header.state != journal::BankState::active) continue;
        ++active;
        if (header.generation <= best.generation) continue;
        best = header;
        best_at = bank * half;
    }
    two_active_ = active == 2;
    if (best.generation == header_.generation && best.storage == header_.storage) return false;
    compaction_ = {};
    if (best.storage == header_.storage && best.generation == header_.generation + 1)
        compaction_ = {best.generation, header_.bank_bytes, position_, position_ - checkpoint_end_, header_.record_bytes_max};
    appends_from_ = best.sealed_through + 1;
    header_ = best;
    bank_at_ = best_at;
    position_ = kHeaderSectorBytes;
    expected_ = best.first_sequence;
    salt_ = best.salt;
    seed_ = journal::bank_seed(best);
    return true;
}

bool DurableState::record_at(std::span<const std::byte> bank, std::uint32_t at, std::uint64_t sequence, journal::RecordHead& head) const {
    if (at + sizeof(head) > bank.size()) return false;
    std::memcpy(&head, &bank[at], sizeof(head));
    if (head.sequence != sequence || head.salt < salt_ || head.length > bank.size() - at - sizeof(head)) return false;
    // Not only a torn record is none: of what an earlier generation left, any bytes may look like the head that comes next.
    const std::uint32_t crc = head.crc;
    return crc == journal::record_crc(head, bank.subspan(at + sizeof(head), head.length), seed_);
}

bool DurableState::read(std::span<const std::byte> synced, bool crashed) {
    bool changed = choose_bank(synced);
    if (changed) state_ = {};
    if (changed && crashed) compaction_ = {};
    if (header_.generation == 0) return changed;
    const std::span<const std::byte> bank = synced.subspan(bank_at_, header_.bank_bytes);
    std::uint32_t at = position_;
    std::uint64_t sequence = expected_;
    journal::RecordHead head{};
    while (record_at(bank, at, sequence, head)) {
        at += journal::record_bytes(head.length);
        ++sequence;
        if ((head.flags & journal::kRecordContinued) != 0) continue;
        while (expected_ < sequence) {  // a batch counts once it is whole
            std::memcpy(&head, &bank[position_], sizeof(head));
            changed = take(head.kind, bank.subspan(position_ + sizeof(head), head.length)) || changed;
            salt_ = head.salt;
            position_ += journal::record_bytes(head.length);
            if (expected_++ == header_.sealed_through) checkpoint_end_ = position_;
        }
    }
    if (crashed) appends_from_ = std::max(appends_from_, expected_);
    return changed;
}

// ---- What the records say ---------------------------------------------------------------------------------------------------

// True: it is of a kind that is kept here.
bool DurableState::take(journal::RecordKind kind, std::span<const std::byte> payload) {
    switch (kind) {
        case journal::RecordKind::epoch: {
            EpochRecord record{};
            if (dunlin::take(payload, record)) state_.epoch = BootEpoch{record.epoch};
            return true;
        }
        case journal::RecordKind::hard_state: {
            consensus::HardStateRecord record{};
            if (!dunlin::take(payload, record)) return false;
            state_.term = Term{record.term};
            state_.voted_for = NodeId{record.voted_for};
            return true;
        }
        case journal::RecordKind::fence_floor: {
            bus::FenceFloorRecord record{};
            if (!dunlin::take(payload, record)) return false;
            Token& floor = state_.floors[LeaseKey{record.lease}];
            floor = std::max(floor, Token{record.token});
            return true;
        }
        case journal::RecordKind::log_entry: take_entry(payload); return true;
        case journal::RecordKind::image_chunk: take_image_chunk(payload); return true;
        default: state_.bus.take(kind, payload); return false;
    }
}

void DurableState::take_entry(std::span<const std::byte> payload) {
    consensus::LogEntryRecord record{};
    if (!dunlin::take(payload, record) || record.index <= state_.base.value()) return;
    const std::uint64_t kept = record.index - state_.base.value() - 1;
    if (kept > state_.log.size()) return;
    state_.log.resize(kept);
    state_.log.push_back({Term{record.term}, ClusterTime{record.time}, static_cast<consensus::EntryType>(record.type),
                          std::vector<std::byte>(payload.begin(), payload.end())});
    if (state_.log.size() <= kEntriesMax) return;
    state_.base = state_.base.next();
    state_.base_term = state_.log.front().term;
    state_.log.pop_front();
}

// The first chunk holds the image's header, which says how far the image goes.
void DurableState::take_image_chunk(std::span<const std::byte> payload) {
    ImageChunkRecord chunk{};
    if (!dunlin::take(payload, chunk) || chunk.offset != 0 || payload.size() < sizeof(ledger::ImageHeader)) return;
    ledger::ImageHeader header{};
    std::memcpy(&header, payload.data(), sizeof(header));
    state_.base = LogIndex{header.applied_index};
    state_.base_term = Term{header.applied_term};
    state_.log.clear();
}

// ---- Looking up ---------------------------------------------------------------------------------------------------------------

Token DurableState::floor(LeaseKey lease) const {
    const auto found = state_.floors.find(lease);
    return found == state_.floors.end() ? Token{} : found->second;
}

const DurableState::Entry* DurableState::entry(LogIndex index) const {
    if (index <= base() || index > last_index()) return nullptr;
    return &state_.log[index.value() - base().value() - 1];
}

bool DurableState::holds(LogIndex index, Term term) const {
    if (index < base()) return true;
    if (index == base()) return state_.base_term == term;
    const Entry* const found = entry(index);
    return found != nullptr && found->term == term;
}

// ---- Of a world -----------------------------------------------------------------------------------------------------------------

DurableStates::Followed& DurableStates::follow(std::size_t index) {
    if (followed_.size() <= index) followed_.resize(world_.size());
    Followed& followed = followed_[index];
    const Process& process = world_.process(index);
    const Disk& disk = process.disk;
    if (disk.synced().empty() || (followed.read && followed.syncs == disk.syncs() && followed.life == process.life)) return followed;
    const bool crashed = !followed.read || followed.life != process.life;
    followed.read = true;
    followed.syncs = disk.syncs();
    followed.life = process.life;
    if (followed.state.read(disk.synced(), crashed)) ++followed.version;
    return followed;
}

const DurableState& DurableStates::of(std::size_t process) { return follow(process).state; }

std::uint64_t DurableStates::version(std::size_t process) { return follow(process).version; }

}  // namespace dunlin::sim
