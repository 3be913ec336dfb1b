#include <dunlin/core/assert.hpp>
#include <dunlin/link/settled_set.hpp>

#include <algorithm>
#include <bit>

namespace dunlin::link {

SettledSet::SettledSet(std::span<std::uint64_t> words) : words_(words.data()), mask_(static_cast<std::uint16_t>(words.size() - 1)) {
    DUNLIN_ASSERT(std::has_single_bit(words.size()) && words.size() <= 0xffff);
    reset(Sequence{});
}

void SettledSet::reset(Sequence cumulative) {
    std::fill_n(words_, words(), 0U);
    cumulative_ = cumulative;
}

void SettledSet::assign(const SettledSet& other) {
    DUNLIN_ASSERT(words() == other.words());
    std::copy_n(other.words_, words(), words_);
    cumulative_ = other.cumulative_;
}

bool SettledSet::contains(Sequence sequence) const {
    if (sequence <= cumulative_) return true;
    return in_window(sequence) && bit(sequence.value());
}

bool SettledSet::add(Sequence sequence) {
    if (contains(sequence)) return false;
    DUNLIN_ASSERT(in_window(sequence));
    if (sequence == cumulative_.next()) {
        cumulative_ = sequence;
        absorb();
        return true;
    }
    const std::uint64_t value = sequence.value();
    words_[place(value)] |= std::uint64_t{1} << (value & 63U);
    return true;
}

// Cumulative passes what was settled next to it.
void SettledSet::absorb() {
    while (bit(cumulative_.value() + 1)) {
        cumulative_ = cumulative_.next();
        clear_bit(cumulative_.value());
    }
}

void SettledSet::raise(Sequence cumulative) {
    if (cumulative <= cumulative_) return;
    if (cumulative.value() - cumulative_.value() >= window()) {
        reset(cumulative);
        return;
    }
    while (cumulative_ < cumulative) {
        cumulative_ = cumulative_.next();
        clear_bit(cumulative_.value());
    }
    absorb();
}

std::uint64_t SettledSet::word(std::size_t w) const {
    DUNLIN_ASSERT(w < words());
    const std::uint64_t first = cumulative_.value() + 1 + 64 * w;
    const unsigned shift = static_cast<unsigned>(first & 63U);
    const std::uint64_t low = words_[place(first)] >> shift;
    if (shift == 0) return low;
    return low | words_[place(first + 64)] << (64U - shift);
}

std::size_t SettledSet::words_used() const {
    std::size_t used = words();
    while (used > 0 && word(used - 1) == 0) --used;
    return used;
}

}  // namespace dunlin::link
