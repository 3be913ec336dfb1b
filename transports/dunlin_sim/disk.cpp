#include <dunlin_sim/disk.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::sim {

Disk::Disk(std::size_t bytes, std::uint64_t seed) : synced_(bytes), current_(bytes), random_(seed) {}

void Disk::remember(const Range& range) { remembered_[ranges_++ % kRemembered] = range; }

Status Disk::run(const journal::DeviceOp& op, std::size_t& bytes) {
    bytes = 0;
    if (op.kind == journal::DeviceOp::Kind::sync) {
        ++syncs_;
        for (const Write& write : unsynced_) {
            std::memcpy(&synced_[write.offset], &written_[write.place], write.length);
            remember({write.offset, write.length, syncs_});
        }
        settle_arrived();
        if (!unsynced_.empty()) tail_ = {unsynced_.back().offset, unsynced_.back().length, syncs_};
        unsynced_.clear();
        written_.clear();
        return Status::ok;
    }
    if (op.offset > current_.size() || op.buffer.size() > current_.size() - op.offset) return Status::device_error;
    if (op.buffer.empty()) return Status::ok;
    std::byte* const place = &current_[static_cast<std::size_t>(op.offset)];
    if (op.kind == journal::DeviceOp::Kind::read) {
        std::memcpy(op.buffer.data(), place, op.buffer.size());
        bytes = op.buffer.size();
        return Status::ok;
    }
    if (full) return Status::device_full;
    std::memcpy(place, op.buffer.data(), op.buffer.size());
    unsynced_.push_back({static_cast<std::size_t>(op.offset), written_.size(), op.buffer.size()});
    written_.insert(written_.end(), op.buffer.begin(), op.buffer.end());
    return Status::ok;
}

// ---- Crashes ------------------------------------------------------------------------------------------------------------

std::size_t Disk::keep_part(const Write& write) {
    std::size_t kept = 0;
    // Any of its sectors, or all up to a moment.
    const bool in_order = random_.below(2) == 0;
    const std::size_t reached = in_order ? random_.below(write.length + 1) : 0;
    for (std::size_t at = 0; at < write.length;) {
        const std::size_t end = std::min(write.length, at + sector_bytes - (write.offset + at) % sector_bytes);
        if (in_order ? end <= reached : random_.below(2) == 0) {
            std::memcpy(&synced_[write.offset + at], &written_[write.place + at], end - at);
            kept += end - at;
        }
        at = end;
    }
    return kept;
}

// From now on it is as though it had been synced.
void Disk::settle_arrived() {
    if (!arrived_.empty()) tail_ = arrived_.back();
    arrived_.clear();
}

void Disk::crash(Unsynced fate) {
    settle_arrived();
    for (const Write& write : unsynced_) {
        const std::uint64_t luck = random_.below(4);
        std::size_t kept = 0;
        if (fate == Unsynced::torn || (fate == Unsynced::any && luck > 1)) {
            kept = keep_part(write);
        } else if (fate == Unsynced::kept || (fate == Unsynced::any && luck == 1)) {
            std::memcpy(&synced_[write.offset], &written_[write.place], write.length);
            kept = write.length;
        }
        if (kept == 0) ++lost_;
        if (kept == 0) continue;
        if (kept != write.length) ++torn_;
        arrived_.push_back({write.offset, write.length, 0});
    }
    unsynced_.clear();
    written_.clear();
    current_ = synced_;
}

void Disk::wipe() {
    unsynced_.clear();
    written_.clear();
    ranges_ = 0;
    arrived_.clear();
    tail_ = {};
    std::ranges::fill(synced_, std::byte{0xff});
    current_ = synced_;
}

void Disk::restore(std::vector<std::byte> image) {
    DUNLIN_ASSERT(image.size() == synced_.size());
    wipe();
    synced_ = std::move(image);
    current_ = synced_;
}

// ---- Rot ----------------------------------------------------------------------------------------------------------------

bool Disk::has_later_behind(const Range& range) const {
    const std::size_t half = synced_.size() / 2;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(ranges_, kRemembered));
    const auto behind = [&](const Range& other) {
        return other.sync > range.sync && other.offset > range.offset && (other.offset < half) == (range.offset < half);
    };
    return std::any_of(remembered_.begin(), remembered_.begin() + static_cast<std::ptrdiff_t>(count), behind);
}

Disk::Rot Disk::flip(std::size_t offset, std::uint64_t draw) {
    DUNLIN_ASSERT(unsynced_.empty() && offset < synced_.size());
    const std::byte mask{static_cast<unsigned char>(1U << (draw % 8))};
    synced_[offset] ^= mask;
    current_[offset] = synced_[offset];
    return {offset, mask, synced_[offset]};
}

std::optional<Disk::Rot> Disk::rot_middle(std::uint64_t draw) {
    std::vector<Range> places;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(ranges_, kRemembered));
    std::copy_if(remembered_.begin(), remembered_.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(places),
                 [this](const Range& range) { return has_later_behind(range); });
    if (places.empty()) return std::nullopt;
    const Range& place = places[(draw >> 32U) % places.size()];
    return flip(place.offset + (draw >> 8U) % place.length, draw);
}

std::optional<Disk::Rot> Disk::rot_tail(std::uint64_t draw) {
    constexpr std::size_t kBehind = 64;
    if (arrived_.empty() && tail_.length == 0) return std::nullopt;
    const Range behind{tail_.offset + tail_.length, kBehind, 0};
    const Range& place = arrived_.empty() ? behind : arrived_[(draw >> 32U) % arrived_.size()];
    const std::size_t offset = place.offset + (draw >> 8U) % place.length;
    if (offset >= synced_.size()) return std::nullopt;
    return flip(offset, draw);
}

void Disk::mend(const Rot& rot) {
    for (std::vector<std::byte>* const bytes : {&synced_, &current_}) {
        std::byte& byte = (*bytes)[rot.offset];
        if (byte == rot.now) byte ^= rot.mask;
    }
}

}  // namespace dunlin::sim
