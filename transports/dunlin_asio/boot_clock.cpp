#include <dunlin_asio/boot_clock.hpp>

#include <dunlin/core/assert.hpp>

#include <ctime>

namespace dunlin_asio {

dunlin::Instant boot_now() {
    timespec time{};
    const int result = ::clock_gettime(CLOCK_BOOTTIME, &time);
    DUNLIN_ASSERT(result == 0);
    return dunlin::Instant{dunlin::seconds{time.tv_sec} + dunlin::microseconds{time.tv_nsec / 1000}};
}

std::uint64_t clock_tick() {
    timespec time{};
    const int result = ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    DUNLIN_ASSERT(result == 0);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace dunlin_asio
