#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/status.hpp>

#include <cstdint>

namespace dunlin::resilience {

// What to do about an error (protocol.md §4).
enum class ErrorClass : std::uint8_t {
    none,       // no error
    transient,  // of the moment or of whom was asked: try again, elsewhere where one can
    overload,   // it is too much now: try again after a backoff, and not before a hint says so
    permanent,  // the same will be answered again: say so at once
};

// The one table. Of an outcome: what holds for the message if it is published again. (A handler's `retry_later` is overload, its
// `reject` is the outcome `rejected`.) O(1).
[[nodiscard]] ErrorClass classify(Status status);
[[nodiscard]] ErrorClass classify(Outcome outcome);

[[nodiscard]] inline bool worth_retrying(ErrorClass error) { return error == ErrorClass::transient || error == ErrorClass::overload; }

}  // namespace dunlin::resilience
