#include <dunlin/node/mailbox.hpp>

#include <dunlin/core/assert.hpp>

#include <cstring>

namespace dunlin {

// A cell at position p may be written when its turn is p, and read when it is p + 1.

Mailbox::Mailbox(std::span<Cell> cells, std::span<std::byte> bytes)
    : cells_(cells), bytes_(bytes), mask_(static_cast<std::uint32_t>(cells.size() - 1)), cell_bytes_(bytes.size() / cells.size()) {
    DUNLIN_ASSERT(cells.size() >= 2 && (cells.size() & mask_) == 0);
    DUNLIN_ASSERT(bytes.size() % cells.size() == 0);
    DUNLIN_ASSERT(cell_bytes_ <= UINT16_MAX);  // or a length would not fit its cell
    for (std::uint32_t i = 0; i < cells.size(); ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
}

std::byte* Mailbox::bytes_of(std::uint32_t position) const { return bytes_.data() + (position & mask_) * cell_bytes_; }

Status Mailbox::post(std::string_view topic, std::span<const std::byte> payload) {
    if (topic.size() + payload.size() > cell_bytes_) return Status::too_large;
    std::uint32_t position = tail_.load(std::memory_order_relaxed);
    for (;;) {
        const std::uint32_t turn = cells_[position & mask_].turn.load(std::memory_order_acquire);
        const auto behind = static_cast<std::int32_t>(turn - position);
        if (behind < 0) return Status::busy;
        if (behind > 0) {
            position = tail_.load(std::memory_order_relaxed);  // another producer took it
        } else if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
            break;
        }
    }
    Cell& cell = cells_[position & mask_];
    cell.topic_bytes = static_cast<std::uint16_t>(topic.size());
    cell.payload_bytes = static_cast<std::uint16_t>(payload.size());
    std::byte* out = bytes_of(position);
    if (!topic.empty()) std::memcpy(out, topic.data(), topic.size());
    if (!payload.empty()) std::memcpy(out + topic.size(), payload.data(), payload.size());
    cell.turn.store(position + 1, std::memory_order_release);
    return Status::ok;
}

bool Mailbox::peek(Message& message) const {
    const Cell& cell = cells_[head_ & mask_];
    if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return false;
    const std::byte* in = bytes_of(head_);
    message.topic = {reinterpret_cast<const char*>(in), cell.topic_bytes};
    message.payload = {in + cell.topic_bytes, cell.payload_bytes};
    return true;
}

void Mailbox::pop() {
    Cell& cell = cells_[head_ & mask_];
    DUNLIN_ASSERT(cell.turn.load(std::memory_order_relaxed) == head_ + 1);
    cell.turn.store(head_ + mask_ + 1, std::memory_order_release);
    ++head_;
}

}  // namespace dunlin
