#include <dunlin/consensus/log.hpp>

#include <dunlin/core/assert.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::consensus {

std::size_t Log::position(LogIndex index) const {
    DUNLIN_ASSERT(contains(index));
    return slot_after(static_cast<std::size_t>(index.value() - base_.index.value()) - 1);
}

std::size_t Log::slot_after(std::size_t entries) const {
    const std::size_t at = head_ + entries;
    return at >= slots_.size() ? at - slots_.size() : at;
}

ClusterTime Log::last_time() const { return empty() ? base_.time : ClusterTime{slot(last_index()).time}; }

Term Log::term_at(LogIndex index) const { return index == base_.index ? base_.term : Term{slot(index).term}; }

Entry Log::entry(LogIndex index) const {
    const LogSlot& found = slot(index);
    return {index, Term{found.term}, ClusterTime{found.time}, found.type, bytes_.subspan(found.offset, found.length)};
}

LogIndex Log::last_not_after(LogIndex from, Term term) const {
    LogIndex index = std::min(from, last_index());
    while (index > base_.index && term_at(index) > term) index = index.previous();
    return index;
}

LogIndex Log::durable_index(JournalSequence durable) const {
    if (base_sequence_ > durable.value()) return {};
    LogIndex index = last_index();
    while (index > base_.index && slot(index).sequence > durable.value()) index = index.previous();
    return index;
}

bool Log::place(std::size_t length, std::size_t& offset) const {
    const std::size_t head = empty() ? 0 : slots_[head_].offset;
    const std::size_t tail = empty() ? 0 : tail_;
    if (tail < head) {  // the free bytes are one gap; never filled to the last, so that tail == head means not wrapped
        offset = tail;
        return length < head - tail;
    }
    if (length <= bytes_.size() - tail) {
        offset = tail;
        return true;
    }
    offset = 0;
    return length < head;
}

void Log::compact() {
    const std::size_t head = empty() ? 0 : slots_[head_].offset;
    if (head == 0) return;
    std::size_t used = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        LogSlot& moved = slots_[slot_after(i)];
        moved.offset = static_cast<std::uint32_t>(used);
        used += moved.length;
    }
    // Rotated by three reversals, which take a third of the code of std::rotate.
    const auto oldest = bytes_.begin() + static_cast<std::ptrdiff_t>(head);
    const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(tail_ < head ? head + used - tail_ : tail_);
    std::reverse(bytes_.begin(), oldest);
    std::reverse(oldest, end);
    std::reverse(bytes_.begin(), end);
    tail_ = used;
}

bool Log::fits(std::size_t length, std::size_t reserve) const {
    std::size_t offset = 0;
    return count_ + reserve < slots_.size() && place(length, offset);
}

void Log::append(Term term, ClusterTime time, EntryType type, std::span<const std::byte> first, std::span<const std::byte> second) {
    std::size_t offset = 0;
    const std::size_t length = first.size() + second.size();
    DUNLIN_ASSERT(fits(length) && place(length, offset));
    DUNLIN_ASSERT(term >= last_term() && time >= last_time());
    if (!first.empty()) std::memcpy(&bytes_[offset], first.data(), first.size());
    if (!second.empty()) std::memcpy(&bytes_[offset + first.size()], second.data(), second.size());
    ++count_;
    slot(last_index()) = {.term = term.value(),
                          .time = time.value(),
                          .offset = static_cast<std::uint32_t>(offset),
                          .length = static_cast<std::uint16_t>(length),
                          .type = type};
    tail_ = offset + length;
}

void Log::set_last_sequence(JournalSequence sequence) { slot(last_index()).sequence = sequence.value(); }

void Log::drop_first() {
    const LogSlot& dropped = slot(first_index());
    base_ = {first_index(), Term{dropped.term}, ClusterTime{dropped.time}};
    head_ = head_ + 1 == slots_.size() ? 0 : head_ + 1;
    --count_;
}

void Log::truncate_after(LogIndex index) {
    DUNLIN_ASSERT(index >= base_.index && index <= last_index());
    count_ = static_cast<std::size_t>(index.value() - base_.index.value());
    if (empty()) return;
    const LogSlot& last = slot(index);
    tail_ = last.offset + std::size_t{last.length};
}

void Log::reset(const ImagePoint& point, JournalSequence sequence) {
    base_ = point;
    base_sequence_ = sequence.value();
    head_ = count_ = tail_ = 0;
}

void Log::reset_keeping_suffix(const ImagePoint& point, JournalSequence sequence) {
    if (!contains(point.index) || term_at(point.index) != point.term) return reset(point, sequence);
    while (base_.index < point.index) drop_first();
    base_sequence_ = sequence.value();
}

}  // namespace dunlin::consensus
