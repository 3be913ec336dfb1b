#include "names.hpp"

namespace dunlin_tool {

std::string_view name_of(dunlin::RunState state) {
    using dunlin::RunState;
    switch (state) {
        case RunState::created: return "created";
        case RunState::recovering: return "recovering";
        case RunState::ready: return "ready";
        case RunState::draining: return "draining";
        case RunState::failed: return "failed";
    }
    return "unknown";
}

std::string_view name_of(dunlin::membership::Health health) {
    using dunlin::membership::Health;
    switch (health) {
        case Health::unknown: return "unknown";
        case Health::alive: return "alive";
        case Health::suspect: return "suspect";
        case Health::dead: return "dead";
    }
    return "unknown";
}

std::string_view name_of(dunlin::resilience::CircuitState state) {
    using dunlin::resilience::CircuitState;
    switch (state) {
        case CircuitState::closed: return "closed";
        case CircuitState::open: return "open";
        case CircuitState::half_open: return "half_open";
    }
    return "unknown";
}

}  // namespace dunlin_tool
