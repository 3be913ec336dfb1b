#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace dunlin_wire {

// Parts per million, 0..1000000; nothing for any other text.
[[nodiscard]] std::optional<std::uint32_t> read_share(std::string_view text);
inline constexpr const char* kShareForm = "parts per million, 0 to 1000000";

// "A..B" or "A": microseconds, A <= B <= 10,000,000; nothing for any other text.
[[nodiscard]] std::optional<std::pair<dunlin::Duration, dunlin::Duration>> read_delay(std::string_view text);
inline constexpr const char* kDelayForm = "A..B or A, in microseconds, with A <= B <= 10000000";

}  // namespace dunlin_wire
