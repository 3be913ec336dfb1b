#pragma once

#include <cstdint>

namespace dunlin {

// An integer that cannot be swapped with another kind of integer. Tag is any (incomplete) type. Zero cost.
template <class Tag, class Rep>
class Strong {
  public:
    using rep = Rep;
    constexpr Strong() = default;
    constexpr explicit Strong(Rep value) : value_(value) {}
    [[nodiscard]] constexpr Rep value() const { return value_; }
    [[nodiscard]] constexpr Strong next() const { return Strong(static_cast<Rep>(value_ + 1)); }
    [[nodiscard]] constexpr Strong previous() const { return Strong(static_cast<Rep>(value_ - 1)); }
    [[nodiscard]] constexpr Strong plus(Rep count) const { return Strong(static_cast<Rep>(value_ + count)); }
    // Spelled out: through a three-way comparison each costs more flash on a Cortex-M (700 bytes in consensus alone).
    friend constexpr bool operator==(Strong a, Strong b) { return a.value_ == b.value_; }
    friend constexpr bool operator<(Strong a, Strong b) { return a.value_ < b.value_; }
    friend constexpr bool operator>(Strong a, Strong b) { return a.value_ > b.value_; }
    friend constexpr bool operator<=(Strong a, Strong b) { return a.value_ <= b.value_; }
    friend constexpr bool operator>=(Strong a, Strong b) { return a.value_ >= b.value_; }

  private:
    Rep value_{};
};

}  // namespace dunlin
