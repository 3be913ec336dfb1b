#pragma once

#include <cstdint>
#include <string_view>

// What the self-test says: one line a check, and how many of them held.
namespace self_test {

// Prints `ok: SENTENCE` or `FAILED: SENTENCE`, and counts it.
void check(bool holds, std::string_view sentence);
// A line that is no check: what, how much, of what.
void tell(std::string_view what, std::uint64_t number, std::string_view unit);

// Prints `self-test: passed N of N`. Whether all held.
[[nodiscard]] bool summary();

}  // namespace self_test
