#pragma once

#include <dunlin/core/status.hpp>

#include <cstdint>

namespace dunlin::resilience {

// What to do about an error.
enum class ErrorClass : std::uint8_t {
    none,       // no error
    transient,  // of the moment or of whom was asked: try again, elsewhere where one can
    overload,   // it is too much now: try again after a backoff, and not before a hint says so
    permanent,  // the same will be answered again: say so at once
};

// The one table. (What a handler says is classified by its verdict: `retry_later` is overload, `reject` is permanent.) O(1).
[[nodiscard]] ErrorClass classify(Status status);

[[nodiscard]] inline bool worth_retrying(ErrorClass error) { return error == ErrorClass::transient || error == ErrorClass::overload; }

}  // namespace dunlin::resilience
