#pragma once

#include <cstddef>
#include <string_view>

namespace dunlin::bus {

// Topics are levels separated by `/`; levels may be empty ("/a" has two). Bytes other than `/ + # NUL` are opaque.
// Filters: `+` stands for exactly one level, a last level `#` for any number of levels, none included, so "a/#" matches
// "a" (MQTT 5 §4.7.1). Names that start with `$` are not special.

// 1..bytes_max bytes, no `+`, `#` or NUL. O(length).
[[nodiscard]] bool valid_topic(std::string_view topic, std::size_t bytes_max);
// 1..bytes_max bytes, no NUL; `+` and `#` fill their level, `#` is the last one. O(length).
[[nodiscard]] bool valid_filter(std::string_view filter, std::size_t bytes_max);
// Whether the (valid) filter selects the (valid) topic. O(length), no backtracking.
[[nodiscard]] bool matches(std::string_view filter, std::string_view topic);

}  // namespace dunlin::bus
