#pragma once

#include <cstdint>

namespace demo {

struct Reading {
    std::uint16_t cpu_busy_permille = 0;
    std::uint32_t load_milli = 0;
    std::uint64_t memory_available_kib = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
};

// This machine as /proc shows it. A file that is missing or odd reads as zero.
class TelemetrySource {
  public:
    [[nodiscard]] Reading read();

  private:
    [[nodiscard]] std::uint16_t cpu_busy_permille();

    std::uint64_t busy_before_ = 0;
    std::uint64_t total_before_ = 0;
};

}  // namespace demo
