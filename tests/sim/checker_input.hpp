#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/core/time.hpp>

// What the tests of checkers tell them.
namespace dunlin::sim {

inline constexpr Instant kNow{seconds{1}};

inline Event event_of(EventKind kind, std::uint64_t value, std::uint64_t detail = 0) {
    Event event;
    event.kind = kind;
    event.value = value;
    event.detail = detail;
    return event;
}

}  // namespace dunlin::sim
