#pragma once

#include <dunlin/membership/failure_detector.hpp>
#include <dunlin/node/status_report.hpp>

#include <string_view>

namespace dunlin_tool {

// Lower-case names as printed to people and in JSON.
[[nodiscard]] std::string_view name_of(dunlin::RunState state);
[[nodiscard]] std::string_view name_of(dunlin::membership::Health health);
[[nodiscard]] std::string_view name_of(dunlin::resilience::CircuitState state);

}  // namespace dunlin_tool
