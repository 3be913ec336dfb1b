#include <dunlin_asio/boot_timer.hpp>

#include <dunlin/core/assert.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/host_error.hpp>

#include <sys/timerfd.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace dunlin_asio {
namespace {

int open_timer() {
    const int descriptor = ::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (descriptor < 0) throw HostError("cannot make a timer on CLOCK_BOOTTIME", errno);
    return descriptor;
}

}  // namespace

BootTimer::BootTimer(asio::io_context& io, std::function<void()> on_expiry)
    : descriptor_(io, open_timer()), on_expiry_(std::move(on_expiry)), wait_([this] { expired(); }) {}

void BootTimer::set(dunlin::Instant deadline) {
    if (deadline == deadline_) return;
    deadline_ = deadline;
    itimerspec setting{};  // all zero: disarmed
    if (deadline != dunlin::kNever) {
        const std::int64_t microseconds = std::max<std::int64_t>(deadline.time_since_epoch().count(), 1);
        setting.it_value.tv_sec = static_cast<time_t>(microseconds / 1'000'000);
        setting.it_value.tv_nsec = static_cast<long>(microseconds % 1'000'000) * 1000;
    }
    const int result = ::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &setting, nullptr);
    DUNLIN_ASSERT(result == 0);
    if (deadline != dunlin::kNever) wait_.arm(descriptor_, asio::posix::stream_descriptor::wait_read);
}

void BootTimer::set_at_latest(dunlin::Instant deadline) {
    if (deadline < deadline_) set(deadline);
}

void BootTimer::expired() {
    std::uint64_t expirations = 0;
    const bool fired = ::read(descriptor_.native_handle(), &expirations, sizeof expirations) > 0;
    if (!fired) {  // set again between the alarm and now
        if (deadline_ != dunlin::kNever) wait_.arm(descriptor_, asio::posix::stream_descriptor::wait_read);
        return;
    }
    deadline_ = dunlin::kNever;
    if (on_expiry_) on_expiry_();
}

}  // namespace dunlin_asio
