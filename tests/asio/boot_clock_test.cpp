// Which of the machine's clocks the host's time is. Where the machine has never slept they agree, so here this program answers
// for them, as they stand after an hour of suspend; it defines clock_gettime for all of itself, and so it stands alone.
#include <dunlin_asio/boot_clock.hpp>

#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <unistd.h>
#include <ctime>

namespace {

constexpr std::time_t kAwake = 1'000;  // seconds
bool slept = false;
std::time_t asleep = 0;

bool stands_still_in_suspend(clockid_t clock) {
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC_RAW;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    if (!slept) return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
    *time = {stands_still_in_suspend(clock) ? kAwake : kAwake + asleep, 0};
    return 0;
}

namespace dunlin_asio {
namespace {

TEST(BootClock, runs_on_while_the_machine_is_suspended) {
    slept = true;
    const dunlin::Instant before = boot_now();
    asleep = 3'600;
    const dunlin::Instant after = boot_now();
    slept = false;
    EXPECT_EQ(before, dunlin::Instant{dunlin::seconds{kAwake}});
    EXPECT_EQ(after - before, dunlin::seconds{3'600});
}

}  // namespace
}  // namespace dunlin_asio
