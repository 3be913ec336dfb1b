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

}  // namespace dunlin_asio
