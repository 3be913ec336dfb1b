#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dunlin_tool {

// "250us", "20ms", "5s", "2min": a whole number and its unit. Nothing for any other text, or out of range.
[[nodiscard]] std::optional<dunlin::Duration> read_duration(std::string_view text);
// What read_duration() reads, for refusals: "... must be <this>".
inline constexpr const char* kDurationForm = "a whole number and its unit (us, ms, s, min or h), such as 250ms or 5s";

// A share between 0 and 1 as parts in a million; nothing where it is out of range.
[[nodiscard]] std::optional<std::uint32_t> to_ppm(double share);

// A whole decimal or, after 0x, hexadecimal number that fills `text`.
[[nodiscard]] std::optional<std::uint64_t> read_number(std::string_view text);

// All 16 digits: for a number that is a name.
[[nodiscard]] std::string hexadecimal(std::uint64_t value);

// host:port with a port from 1 (or 0, where any free one will do), as the transport reads it.
[[nodiscard]] bool is_address(std::string_view text, bool port_zero);

}  // namespace dunlin_tool
