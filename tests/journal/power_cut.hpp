#pragma once

#include "memory_device.hpp"

#include <dunlin/core/checksum.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace dunlin::journal::test {

// What was done to a device, from a known content on.
struct Recording {
    struct Change {
        DeviceOp::Kind kind;
        std::size_t offset;
        Bytes bytes;
    };

    void add(const DeviceOp& op) {
        changes.push_back({op.kind, static_cast<std::size_t>(op.offset), Bytes(op.buffer.begin(), op.buffer.end())});
    }

    Bytes start;
    std::vector<Change> changes{};
};

// What the next process finds when this one is killed and the machine goes on: what was synced, and the changes that were not.
inline Recording left_by(const Recording& run) {
    Recording left{.start = run.start};
    for (const Recording::Change& change : run.changes) {
        if (change.kind == DeviceOp::Kind::write) {
            left.changes.push_back(change);
            continue;
        }
        for (const Recording::Change& write : left.changes)
            std::ranges::copy(write.bytes, left.start.begin() + static_cast<std::ptrdiff_t>(write.offset));
        left.changes.clear();
    }
    return left;
}

// Every content that a loss of power can leave on a disk whose cache holds `loose` writes back in any order and writes sectors of
// 512 bytes; and some of those of one that tears at any multiple of 8 bytes.
class Cuts {
  public:
    Cuts(const Bytes& synced, const std::vector<const Recording::Change*>& loose) : synced_(synced), loose_(loose) {}

    // Each of the writes whole or not at all: all combinations of three, and of more those that a checkpoint could trip over.
    template <class Check>
    void whole(Check&& check) {
        const std::size_t count = loose_.size();
        if (count <= 3) {
            for (std::size_t kept = 0; kept < (std::size_t{1} << count); ++kept) {
                give(check, [&](std::size_t i) { return (kept >> i & 1U) != 0; });
            }
            return;
        }
        for (std::size_t i = 0; i <= count; ++i) {
            give(check, [&](std::size_t each) { return each < i; });
            give(check, [&](std::size_t each) { return each == i; });
            give(check, [&](std::size_t each) { return each != i; });
        }
    }
    // One of them in part: up to some byte of it, or without a sector, while the others are there or are not.
    template <class Check>
    void torn(std::size_t which, Check&& check) {
        const Recording::Change& write = *loose_[which];
        for (const bool others : {false, true}) {
            Bytes content = synced_;
            for (std::size_t i = 0; others && i < loose_.size(); ++i) {
                if (i != which) put(content, *loose_[i], 0, loose_[i]->bytes.size());
            }
            const Bytes without = content;
            std::size_t done = 0;
            for (const std::size_t end : ends(write)) {
                put(content, write, done, end);
                done = end;
                offer(content, check);
            }
            for (std::size_t at = 0; at < write.bytes.size();) {  // without this sector
                const std::size_t end = sector_end(write, at);
                std::copy_n(without.begin() + static_cast<std::ptrdiff_t>(write.offset + at), end - at,
                            content.begin() + static_cast<std::ptrdiff_t>(write.offset + at));
                offer(content, check);
                put(content, write, at, end);
                at = end;
            }
        }
    }

  private:
    static constexpr std::size_t kSector = 512;

    static std::size_t sector_end(const Recording::Change& write, std::size_t at) {
        return std::min(write.bytes.size(), at + kSector - (write.offset + at) % kSector);
    }
    // Where a torn write may end: at each 8 bytes near its start and its end, at each sector, and here and there.
    static std::set<std::size_t> ends(const Recording::Change& write) {
        constexpr std::size_t kNear = 64;
        constexpr std::size_t kStride = 136;
        const std::size_t length = write.bytes.size();
        std::set<std::size_t> all;
        for (std::size_t at = 0; at <= length; at += 8) {
            if (at <= kNear || length - at <= kNear || at % kStride == 0) all.insert(at);
        }
        for (std::size_t at = 0; at < length; at = sector_end(write, at)) all.insert(at);
        all.insert(length);
        return all;
    }
    static void put(Bytes& content, const Recording::Change& write, std::size_t from, std::size_t to) {
        std::copy(write.bytes.begin() + static_cast<std::ptrdiff_t>(from), write.bytes.begin() + static_cast<std::ptrdiff_t>(to),
                  content.begin() + static_cast<std::ptrdiff_t>(write.offset + from));
    }
    template <class Check, class Kept>
    void give(Check& check, Kept kept) {
        Bytes content = synced_;
        for (std::size_t i = 0; i < loose_.size(); ++i) {
            if (kept(i)) put(content, *loose_[i], 0, loose_[i]->bytes.size());
        }
        offer(content, check);
    }
    template <class Check>
    void offer(const Bytes& content, Check& check) {
        if (seen_.insert(crc32c(content)).second) check(content);
    }

    const Bytes& synced_;
    const std::vector<const Recording::Change*>& loose_;
    std::set<std::uint32_t> seen_;
};

// Calls `check(at, content)` for every content that the device may have once the power goes while change `at` is under way (behind the
// last one: after all). Each content once for each `at`.
template <class Check>
void for_each_power_cut(const Recording& run, Check&& check) {
    Bytes synced = run.start;
    std::vector<const Recording::Change*> loose;
    for (std::size_t at = 0; at <= run.changes.size(); ++at) {
        const bool writing = at < run.changes.size() && run.changes[at].kind == DeviceOp::Kind::write;
        if (writing) loose.push_back(&run.changes[at]);
        Cuts cuts(synced, loose);
        const auto found = [&](const Bytes& content) { check(at, content); };
        cuts.whole(found);
        for (std::size_t i = 0; i < loose.size(); ++i) {
            if (loose.size() <= 3 || i + 1 == loose.size()) cuts.torn(i, found);
        }
        if (at == run.changes.size() || writing) continue;
        for (const Recording::Change* write : loose)
            std::ranges::copy(write->bytes, synced.begin() + static_cast<std::ptrdiff_t>(write->offset));
        loose.clear();
    }
}

}  // namespace dunlin::journal::test
