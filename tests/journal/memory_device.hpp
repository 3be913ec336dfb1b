#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/device.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace dunlin::journal::test {

using Bytes = std::vector<std::byte>;

// A block device in memory that knows what was synced. Reads see what was written (as through an operating system's cache);
// power_loss() leaves what was synced and a random part of the rest.
class MemoryDevice {
  public:
    explicit MemoryDevice(std::size_t bytes) : durable_(bytes), cached_(bytes) {}
    explicit MemoryDevice(Bytes content) : durable_(content), cached_(std::move(content)) {}

    [[nodiscard]] std::size_t size() const { return durable_.size(); }
    [[nodiscard]] std::size_t bytes_read(const DeviceOp& op) const { return op.kind == DeviceOp::Kind::read ? op.buffer.size() : 0; }

    Status perform(const DeviceOp& op) {
        if (op.offset + op.buffer.size() > size()) return Status::device_error;
        if (on_change && op.kind != DeviceOp::Kind::read) on_change(op);
        switch (op.kind) {
            case DeviceOp::Kind::read: std::memcpy(op.buffer.data(), cached_.data() + op.offset, op.buffer.size()); break;
            case DeviceOp::Kind::write:
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
                const std::size_t end = std::min(bytes.size(), at + tear_bytes - (offset + at) % tear_bytes);
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

    std::function<void(const DeviceOp&)> on_change{};  // is told of each write and sync before it is done

  private:
    Bytes durable_;
    Bytes cached_;
    std::vector<std::pair<std::uint64_t, Bytes>> unsynced_;
};

}  // namespace dunlin::journal::test
