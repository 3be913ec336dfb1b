#include "telemetry_source.hpp"

#include <array>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace demo {
namespace {

std::uint64_t memory_available_kib() {
    std::ifstream file("/proc/meminfo");
    std::string name;
    std::uint64_t kib = 0;
    while (file >> name >> kib) {
        if (name == "MemAvailable:") return kib;
        file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return 0;
}

std::uint32_t load_milli() {
    std::ifstream file("/proc/loadavg");
    double load = 0;
    file >> load;
    return static_cast<std::uint32_t>(load * 1000);
}

// An interface a line behind two lines of headings: its name and a colon, bytes received, seven more, bytes sent.
void read_network(Reading& reading) {
    std::ifstream file("/proc/net/dev");
    std::string line;
    while (std::getline(file, line)) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        std::istringstream figures(line.substr(colon + 1));
        std::array<std::uint64_t, 9> values{};
        for (std::uint64_t& each : values) figures >> each;
        reading.received_bytes += values[0];
        reading.sent_bytes += values[8];
    }
}

}  // namespace

Reading TelemetrySource::read() {
    Reading reading;
    reading.cpu_busy_permille = cpu_busy_permille();
    reading.load_milli = load_milli();
    reading.memory_available_kib = memory_available_kib();
    read_network(reading);
    return reading;
}

// The first line: user, nice, system, idle, waiting for a disk, interrupts, soft interrupts, stolen; in clock ticks since boot.
std::uint16_t TelemetrySource::cpu_busy_permille() {
    std::ifstream file("/proc/stat");
    std::string name;
    std::array<std::uint64_t, 8> ticks{};
    file >> name;
    for (std::uint64_t& each : ticks) file >> each;
    std::uint64_t total = 0;
    for (const std::uint64_t each : ticks) total += each;
    const std::uint64_t busy = total - ticks[3] - ticks[4];
    const std::uint64_t passed = total - total_before_;
    const std::uint64_t worked = busy - busy_before_;
    total_before_ = total;
    busy_before_ = busy;
    return passed == 0 || worked > passed ? std::uint16_t{0} : static_cast<std::uint16_t>(worked * 1000 / passed);
}

}  // namespace demo
