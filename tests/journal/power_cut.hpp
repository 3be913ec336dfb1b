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

    Content start;
    Geometry geometry{};
    std::vector<Change> changes{};
};

// Every content that a loss of power can leave on a disk whose cache holds `loose` writes back in any order and writes sectors of
// 512 bytes; and some of those of one that tears at any multiple of 8 bytes.
class FileCuts {
  public:
    FileCuts(const Bytes& synced, const std::vector<const Recording::Change*>& loose) : synced_(synced), loose_(loose) {}

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

// Of a file.
template <class Check>
void for_each_file_cut(const Recording& run, Check&& check) {
    Bytes synced = run.start.bytes;
    std::vector<const Recording::Change*> loose;
    for (std::size_t at = 0; at <= run.changes.size(); ++at) {
        const bool writing = at < run.changes.size() && run.changes[at].kind == DeviceOp::Kind::write;
        if (writing) loose.push_back(&run.changes[at]);
        FileCuts cuts(synced, loose);
        const auto found = [&](const Bytes& content) { check(at, Content{content}); };
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

// Of flash. Granules are programmed in order, so what is under way is there up to one of them, which may read as anything: as erased
// too. A block that is being erased may read as anything as well.
class FlashCuts {
  public:
    FlashCuts(const Content& before, const Recording::Change& change, Geometry geometry)
        : before_(before), change_(change), geometry_(geometry), random_(change.offset + change.bytes.size()) {}

    template <class Check>
    void all(Check&& check) {
        check(before_);
        if (change_.kind == DeviceOp::Kind::write) program(check);
        if (change_.kind == DeviceOp::Kind::erase) erase(check);
    }

    static void apply(Content& content, const Recording::Change& change, Geometry geometry) {
        const std::size_t granule = geometry.program_bytes;
        std::ranges::copy(change.bytes, content.bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
        for (std::size_t at = 0; at < change.bytes.size(); at += granule) content.programmed[(change.offset + at) / granule] = true;
        if (change.kind != DeviceOp::Kind::erase) return;
        for (std::size_t at = 0; at < geometry.erase_bytes; ++at) {
            content.bytes[change.offset + at] = std::byte{0xff};
            content.programmed[(change.offset + at) / granule] = false;
        }
    }

  private:
    template <class Check>
    void program(Check& check) {
        const std::size_t granule = geometry_.program_bytes;
        Content content = before_;
        for (std::size_t at = 0; at < change_.bytes.size(); at += granule) {
            content.programmed[(change_.offset + at) / granule] = true;
            check(content);  // begun, and reads as erased
            fill(content, change_.offset + at, granule, [&](std::size_t i) { return change_.bytes[at + i] | any(); });
            check(content);
            fill(content, change_.offset + at, granule, [&](std::size_t) { return any(); });
            check(content);
            fill(content, change_.offset + at, granule, [&](std::size_t i) { return change_.bytes[at + i]; });
            check(content);
        }
    }
    template <class Check>
    void erase(Check& check) {
        Content content = before_;
        for (std::size_t at = 0; at < geometry_.erase_bytes; ++at)
            content.programmed[(change_.offset + at) / geometry_.program_bytes] = true;
        fill(content, change_.offset, geometry_.erase_bytes / 2, [&](std::size_t) { return std::byte{0xff}; });
        check(content);
        content.bytes = before_.bytes;
        fill(content, change_.offset + geometry_.erase_bytes / 2, geometry_.erase_bytes / 2, [&](std::size_t) { return std::byte{0xff}; });
        check(content);
        content.bytes = before_.bytes;
        fill(content, change_.offset, geometry_.erase_bytes, [&](std::size_t i) { return before_.bytes[change_.offset + i] | any(); });
        check(content);
        fill(content, change_.offset, geometry_.erase_bytes, [&](std::size_t) { return any(); });
        check(content);
        fill(content, change_.offset, geometry_.erase_bytes, [&](std::size_t) { return std::byte{0xff}; });
        check(content);
    }
    template <class Value>
    static void fill(Content& content, std::size_t offset, std::size_t length, Value value) {
        for (std::size_t i = 0; i < length; ++i) content.bytes[offset + i] = value(i);
    }
    std::byte any() { return static_cast<std::byte>(random_.below(256)); }

    const Content& before_;
    const Recording::Change& change_;
    Geometry geometry_;
    Random random_;
};

template <class Check>
void for_each_flash_cut(const Recording& run, Check&& check) {
    Content now = run.start;
    for (std::size_t at = 0; at < run.changes.size(); ++at) {
        FlashCuts(now, run.changes[at], run.geometry).all([&](const Content& content) { check(at, content); });
        FlashCuts::apply(now, run.changes[at], run.geometry);
    }
    check(run.changes.size(), now);
}

// What the next process finds when this one is killed and the machine goes on: what was synced, and the changes that were not.
inline Recording left_by(const Recording& run) {
    Recording left{.start = run.start, .geometry = run.geometry};
    if (run.geometry.flash()) {
        for (const Recording::Change& change : run.changes) FlashCuts::apply(left.start, change, run.geometry);
        return left;
    }
    for (const Recording::Change& change : run.changes) {
        if (change.kind == DeviceOp::Kind::write) {
            left.changes.push_back(change);
            continue;
        }
        for (const Recording::Change& write : left.changes)
            std::ranges::copy(write.bytes, left.start.bytes.begin() + static_cast<std::ptrdiff_t>(write.offset));
        left.changes.clear();
    }
    return left;
}

// Calls `check(at, content)` for every content that the device may have once the power goes while change `at` is under way (behind the
// last one: after all). Each content of a file once for each `at`.
template <class Check>
void for_each_power_cut(const Recording& run, Check&& check) {
    run.geometry.flash() ? for_each_flash_cut(run, check) : for_each_file_cut(run, check);
}

}  // namespace dunlin::journal::test
