#pragma once

#include <dunlin/core/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::link {

// Which sequences of a stream are settled: all up to `cumulative`, and some in the window after it. The bit of a
// sequence is found by its value modulo the window, so nothing is ever shifted. Invariants: only bits of
// (cumulative, cumulative + window] are set; that of cumulative + 1 is not.
class SettledSet {
  public:
    SettledSet() = default;
    // A power of two of words; the window is 64 times as many sequences.
    explicit SettledSet(std::span<std::uint64_t> words);

    void reset(Sequence cumulative);       // nothing past it
    void assign(const SettledSet& other);  // same window
    [[nodiscard]] Sequence cumulative() const { return cumulative_; }
    [[nodiscard]] std::size_t window() const { return words() * 64; }
    [[nodiscard]] bool contains(Sequence sequence) const;
    [[nodiscard]] bool in_window(Sequence sequence) const { return sequence.value() - cumulative_.value() <= window(); }
    // Adds a sequence of the window. False: it was in already. O(1), and O(1) for each sequence that cumulative passes.
    bool add(Sequence sequence);
    // Everything up to `cumulative` is settled.
    void raise(Sequence cumulative);
    // Word w of the bitmap as it travels: bit i stands for cumulative + 1 + 64 w + i.
    [[nodiscard]] std::uint64_t word(std::size_t w) const;
    [[nodiscard]] std::size_t words() const { return mask_ + 1U; }
    [[nodiscard]] std::size_t words_used() const;  // up to the last that is not zero

  private:
    [[nodiscard]] std::size_t place(std::uint64_t value) const { return static_cast<std::size_t>(value >> 6U) & mask_; }
    [[nodiscard]] bool bit(std::uint64_t value) const { return (words_[place(value)] >> (value & 63U) & 1U) != 0; }
    void clear_bit(std::uint64_t value) { words_[place(value)] &= ~(std::uint64_t{1} << (value & 63U)); }
    void absorb();

    std::uint64_t* words_ = nullptr;  // words() of them
    std::uint16_t mask_ = 0;          // words() - 1
    Sequence cumulative_{};
};

}  // namespace dunlin::link
