#include "line_keys.hpp"

#include <dunlin/core/checksum.hpp>

#include <span>

namespace dunlin_tool {
namespace {

std::uint64_t add(std::uint64_t hash, std::string_view text) { return dunlin::fnv1a64(std::as_bytes(std::span(text)), hash); }

// The length first: no two lists of texts run together into the same bytes.
std::uint64_t add_whole(std::uint64_t hash, std::string_view text) {
    const std::uint64_t length = text.size();
    return add(dunlin::fnv1a64(std::as_bytes(std::span(&length, 1)), hash), text);
}

}  // namespace

LineKeys::LineKeys(std::string_view topic, std::string_view input)
    : start_{.high = add_whole(add_whole(dunlin::fnv1a64("high"), topic), input),
             .low = add_whole(add_whole(dunlin::fnv1a64("low"), topic), input)} {}

dunlin::IdempotencyKey LineKeys::of(std::uint64_t place, std::string_view line) const {
    const auto end = [&](std::uint64_t hash) { return add(dunlin::fnv1a64(std::as_bytes(std::span(&place, 1)), hash), line); };
    return {.high = end(start_.high), .low = end(start_.low)};
}

}  // namespace dunlin_tool
