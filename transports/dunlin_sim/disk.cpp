#include <dunlin_sim/disk.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::sim {

Disk::Disk(std::size_t bytes, std::uint64_t seed) : synced_(bytes), current_(bytes), random_(seed) {}

Status Disk::run(const journal::DeviceOp& op, std::size_t& bytes) {
    bytes = 0;
    if (op.kind == journal::DeviceOp::Kind::sync) {
        for (const Write& write : unsynced_) std::memcpy(&synced_[write.offset], &written_[write.place], write.length);
        unsynced_.clear();
        written_.clear();
        ++syncs_;
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
    std::memcpy(place, op.buffer.data(), op.buffer.size());
    unsynced_.push_back({static_cast<std::size_t>(op.offset), written_.size(), op.buffer.size()});
    written_.insert(written_.end(), op.buffer.begin(), op.buffer.end());
    return Status::ok;
}

void Disk::keep_part(const Write& write) {
    std::size_t kept = 0;
    for (std::size_t at = 0; at < write.length;) {
        const std::size_t end = std::min(write.length, at + sector_bytes - (write.offset + at) % sector_bytes);
        if (random_.below(2) == 0) {
            std::memcpy(&synced_[write.offset + at], &written_[write.place + at], end - at);
            kept += end - at;
        }
        at = end;
    }
    if (kept != 0 && kept != write.length) ++torn_;
}

void Disk::crash() {
    for (const Write& write : unsynced_) {
        const std::uint64_t luck = random_.below(4);
        if (luck == 0) continue;
        if (luck == 1) {
            std::memcpy(&synced_[write.offset], &written_[write.place], write.length);
        } else {
            keep_part(write);
        }
    }
    unsynced_.clear();
    written_.clear();
    current_ = synced_;
}

void Disk::wipe() {
    unsynced_.clear();
    written_.clear();
    std::ranges::fill(synced_, std::byte{0xff});
    current_ = synced_;
}

}  // namespace dunlin::sim
