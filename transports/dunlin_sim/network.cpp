#include <dunlin_sim/misuse.hpp>
#include <dunlin_sim/network.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

Network::Network(std::uint64_t seed, std::size_t processes, EventQueue& queue)
    : random_(seed),
      processes_(processes),
      queue_(queue),
      cut_(processes * processes, false),
      severed_(processes * processes, false),
      clogged_(processes * processes),
      narrow_(processes * processes),
      busy_until_(processes) {}

std::size_t Network::pair(std::size_t from, std::size_t to) const {
    if (from >= processes_ || to >= processes_)
        throw Misuse("dunlin::sim: process " + std::to_string(from >= processes_ ? from : to) + " is beyond the network of " +
                     std::to_string(processes_));
    return from * processes_ + to;
}

void Network::cut(std::size_t from, std::size_t to, bool on) { cut_[pair(from, to)] = on; }

void Network::sever(std::size_t one, std::size_t other, bool on) {
    severed_[pair(one, other)] = on;
    severed_[pair(other, one)] = on;
}

void Network::clog(std::size_t from, std::size_t to, Duration delay) { clogged_[pair(from, to)] = delay; }

void Network::narrow(std::size_t one, std::size_t other, std::uint32_t bytes) {
    narrow_[pair(one, other)] = bytes;
    narrow_[pair(other, one)] = bytes;
}

void Network::widen(std::uint32_t least) {
    for (std::uint32_t& bytes : narrow_) {
        if (bytes < least) bytes = 0;
    }
}

void Network::isolate(std::size_t process, bool on) {
    for (std::size_t other = 0; other < processes_; ++other) {
        cut(process, other, on);
        cut(other, process, on);
    }
}

void Network::heal() {
    cut_.assign(cut_.size(), false);
    clogged_.assign(clogged_.size(), Duration{});
}

// A line takes one datagram after the other; its buffer is as long as queue_max.
bool Network::congested(Instant now, std::uint32_t from, std::size_t bytes) {
    if (faults.bytes_per_s == 0) return false;
    Instant& free_at = busy_until_[from];
    if (free_at > now + faults.queue_max) return true;
    if (free_at > now) ++counts_.queued;
    free_at = std::max(free_at, now) + Duration{static_cast<std::int64_t>(bytes * 1'000'000 / faults.bytes_per_s)};
    return false;
}

void Network::carry(Instant now, std::uint32_t from, std::uint32_t to, std::uint32_t life, std::span<const std::byte> bytes) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(buffers_.size()));
        buffers_.emplace_back();
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Buffer& buffer = buffers_[index];
    buffer.bytes.assign(bytes.begin(), bytes.end());
    buffer.from = from;
    if (alter) alter(from, buffer.bytes);
    if (happens(faults.corrupt_ppm) && !bytes.empty()) {
        const std::uint64_t bit = random_.below(buffer.bytes.size() * 8);
        buffer.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        ++counts_.corrupted;
    }
    Duration delay = random_.between(faults.delay_min, faults.delay_max);
    if (delay > NetworkFaults{}.delay_max) ++counts_.delayed;
    if (happens(faults.late_ppm)) {
        delay += random_.between(Duration{0}, faults.late_max);
        ++counts_.late;
    }
    if (const Duration clog = clogged_[from * processes_ + to]; clog > Duration{}) {
        delay += clog;
        ++counts_.clogged;
    }
    if (faults.bytes_per_s != 0) delay += std::max(Duration{}, busy_until_[from] - now);
    queue_.push({.at = now + delay, .process = to, .life = life, .payload = index, .what = What::datagram});
}

void Network::remember(std::uint32_t from, std::uint32_t to, std::span<const std::byte> bytes) {
    constexpr std::size_t kFirstOnes = kOldMax / 4;
    if (old_.size() >= kFirstOnes && counts_.sent % kOldEvery != 0) return;
    if (old_.size() < kOldMax) old_.emplace_back();
    const std::size_t slot = old_.size() < kOldMax ? old_.size() - 1 : kFirstOnes + counts_.sent / kOldEvery % (kOldMax - kFirstOnes);
    old_[slot].from = from;
    old_[slot].to = to;
    old_[slot].bytes.assign(bytes.begin(), bytes.end());
}

void Network::repeat_old(Instant now, std::uint64_t count, std::uint64_t draw) {
    if (old_.empty()) return;
    for (std::uint64_t i = 0; i < count; ++i) {
        const Old& old = old_[(draw + i * 0x9e3779b9U) % old_.size()];
        ++counts_.repeated;
        carry(now, old.from, old.to, 0, old.bytes);
    }
}

void Network::send(Instant now, std::uint32_t from, std::uint32_t to, std::uint32_t life, std::span<const std::byte> bytes) {
    ++counts_.sent;
    if (remembering_) remember(from, to, bytes);
    if (cut_[from * processes_ + to] || severed_[from * processes_ + to]) {
        ++counts_.cut;
        return;
    }
    if (happens(faults.loss_ppm)) {
        ++counts_.lost;
        return;
    }
    const auto vanishes = [&](std::uint32_t longest) { return longest != 0 && bytes.size() > longest; };
    if (vanishes(faults.datagram_bytes_max) || vanishes(narrow_[from * processes_ + to])) {
        ++counts_.too_long;
        return;
    }
    if (congested(now, from, bytes.size())) {
        ++counts_.congested;
        return;
    }
    carry(now, from, to, life, bytes);
    if (happens(faults.duplicate_ppm)) {
        ++counts_.duplicated;
        carry(now, from, to, life, bytes);
    }
}

}  // namespace dunlin::sim
