#pragma once

#include <dunlin/core/ids.hpp>

#include <cstdint>
#include <string_view>

namespace dunlin_tool {

// Keys of lines that may be published again by a process that knows nothing of the first one: the same line at the same place of
// an input of the same name has the same key on the same topic, whoever publishes it; anything else has another one. Two hashes of 64
// bits: of a million lines any two share a key with a chance below 2^-80, unless somebody looks for such a pair.
class LineKeys {
  public:
    LineKeys(std::string_view topic, std::string_view input);

    // `place`: in bytes from the start of the input.
    [[nodiscard]] dunlin::IdempotencyKey of(std::uint64_t place, std::string_view line) const;

  private:
    dunlin::IdempotencyKey start_;
};

}  // namespace dunlin_tool
