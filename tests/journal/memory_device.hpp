#pragma once

#include <dunlin/core/assert.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/device.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace dunlin::journal::test {

using Bytes = std::vector<std::byte>;

// What is on a device. Of flash also which granules were programmed since their block was erased, whatever they read as.
struct Content {
    Bytes bytes;
    std::vector<bool> programmed{};
};

// A block device in memory: a file that knows what was synced, or NOR flash, whose operations are durable once they are done. Reads
// of a file see what was written (as through an operating system's cache); power_loss() leaves what was synced and a random part of
// the rest. Flash asserts that a granule is programmed once between two erases.
class MemoryDevice {
  public:
    explicit MemoryDevice(std::size_t bytes, Geometry geometry = {}) : MemoryDevice(blank(bytes, geometry), geometry) {}
    explicit MemoryDevice(Content content, Geometry geometry = {})
        : geometry_(geometry), durable_(content.bytes), cached_(std::move(content.bytes)), programmed_(std::move(content.programmed)) {
        if (geometry.flash()) erases_.resize(size() / geometry.erase_bytes);
    }

    static Content blank(std::size_t bytes, Geometry geometry) {
        if (!geometry.flash()) return {Bytes(bytes)};
        return {Bytes(bytes, std::byte{0xff}), std::vector<bool>(bytes / geometry.program_bytes)};
    }

    [[nodiscard]] Geometry geometry() const { return geometry_; }
    [[nodiscard]] unsigned most_erases() const { return *std::ranges::max_element(erases_); }  // of a block

    [[nodiscard]] std::size_t size() const { return durable_.size(); }
    [[nodiscard]] std::size_t bytes_read(const DeviceOp& op) const { return op.kind == DeviceOp::Kind::read ? op.buffer.size() : 0; }

    Status perform(const DeviceOp& op) {
        if (op.offset + op.buffer.size() > size()) return Status::device_error;
        if (on_change && op.kind != DeviceOp::Kind::read) on_change(op);
        switch (op.kind) {
            case DeviceOp::Kind::read: std::memcpy(op.buffer.data(), cached_.data() + op.offset, op.buffer.size()); break;
            case DeviceOp::Kind::erase: erase(op); break;
            case DeviceOp::Kind::write:
                if (geometry_.flash()) {
                    program(op);
                    break;
                }
                std::memcpy(cached_.data() + op.offset, op.buffer.data(), op.buffer.size());
                unsynced_.emplace_back(op.offset, Bytes(op.buffer.begin(), op.buffer.end()));
                break;
            case DeviceOp::Kind::sync:
                durable_ = cached_;
                unsynced_.clear();
                break;
        }
        return Status::ok;
    }

    // Keeps a random subset of the unsynced writes, each cut at multiples of `tear_bytes` on the device into parts that
    // arrive or not, one by one.
    void power_loss(Random& random, std::size_t tear_bytes) {
        for (const auto& [offset, bytes] : unsynced_) {
            const std::uint64_t luck = random.below(4);  // 0: nothing arrives, 3: everything
            for (std::size_t at = 0; at < bytes.size();) {
                const std::size_t end = std::min(bytes.size(), at + tear_bytes - static_cast<std::size_t>((offset + at) % tear_bytes));
                const bool arrives = luck == 3 || (luck != 0 && random.below(2) == 0);
                if (arrives) std::memcpy(durable_.data() + offset + at, bytes.data() + at, end - at);
                at = end;
            }
        }
        unsynced_.clear();
        cached_ = durable_;
    }

    [[nodiscard]] std::size_t unsynced_writes() const { return unsynced_.size(); }
    // Chosen by hand: only these of the unsynced writes arrive, whole.
    void power_loss_keeping(std::span<const std::size_t> kept) {
        for (const std::size_t index : kept) {
            const auto& [offset, bytes] = unsynced_.at(index);
            std::memcpy(durable_.data() + offset, bytes.data(), bytes.size());
        }
        unsynced_.clear();
        cached_ = durable_;
    }

    void flip_bit(std::size_t offset, unsigned bit = 0) {
        durable_.at(offset) ^= std::byte{1} << bit;
        cached_.at(offset) ^= std::byte{1} << bit;
    }
    void overwrite(std::size_t offset, std::span<const std::byte> bytes) {
        std::memcpy(durable_.data() + offset, bytes.data(), bytes.size());
        std::memcpy(cached_.data() + offset, bytes.data(), bytes.size());
    }
    [[nodiscard]] const Bytes& content() const { return cached_; }
    // All of it, as it is; or as it would be.
    [[nodiscard]] Content image() const { return {cached_, programmed_}; }
    void become(const Content& content) {
        unsynced_.clear();
        durable_ = cached_ = content.bytes;
        programmed_ = content.programmed;
    }

    std::function<void(const DeviceOp&)> on_change{};  // is told of each write, sync and erase before it is done

  private:
    void program(const DeviceOp& op) {
        const std::size_t granule = geometry_.program_bytes;
        DUNLIN_ASSERT(op.offset % granule == 0 && op.buffer.size() % granule == 0);
        for (std::size_t at = 0; at < op.buffer.size(); ++at) {
            const std::size_t place = static_cast<std::size_t>(op.offset) + at;
            DUNLIN_ASSERT(!programmed_[place / granule] && cached_[place] == std::byte{0xff});
            cached_[place] = op.buffer[at];
            if ((place + 1) % granule == 0) programmed_[place / granule] = true;
        }
        durable_ = cached_;
    }
    void erase(const DeviceOp& op) {
        DUNLIN_ASSERT(geometry_.flash() && op.offset % geometry_.erase_bytes == 0 && op.buffer.empty());
        const auto from = static_cast<std::ptrdiff_t>(op.offset);
        std::fill_n(cached_.begin() + from, geometry_.erase_bytes, std::byte{0xff});
        std::fill_n(programmed_.begin() + from / geometry_.program_bytes, geometry_.erase_bytes / geometry_.program_bytes, false);
        ++erases_[static_cast<std::size_t>(op.offset) / geometry_.erase_bytes];
        durable_ = cached_;
    }

    Geometry geometry_;
    Bytes durable_;
    Bytes cached_;
    std::vector<bool> programmed_;  // flash, by granule
    std::vector<unsigned> erases_;  // flash, by block
    std::vector<std::pair<std::uint64_t, Bytes>> unsynced_;
};

}  // namespace dunlin::journal::test
