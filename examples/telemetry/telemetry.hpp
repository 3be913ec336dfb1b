#pragma once

#include "telemetry_generated.h"

#include <string_view>

// What sensors and actuators of the plant agree on, besides the table.
namespace plant {

inline constexpr std::string_view kSamplingLease = "sampling";       // whose holder measures
inline constexpr std::string_view kTelemetryTopics = "telemetry/+";  // telemetry/<id of the sensor>

}  // namespace plant
