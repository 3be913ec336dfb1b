#pragma once

#include <dunlin/core/time.hpp>

#include <dunlin_asio/readiness_wait.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <functional>

namespace dunlin_asio {

// One alarm on CLOCK_BOOTTIME (timerfd, absolute), so that a deadline that passes while the machine is suspended is met at once
// when it wakes; ASIO's own timers stand still in suspend. Setting it again replaces the deadline. No allocation
// after construction.
class BootTimer {
  public:
    // `on_expiry` runs in the io_context, at or after the deadline; may be empty. Throws HostError.
    explicit BootTimer(asio::io_context& io, std::function<void()> on_expiry = {});

    // kNever: no alarm. A deadline that has passed: as soon as the loop comes round. Cheap when `deadline` is not
    // the one that is set: one system call.
    void set(dunlin::Instant deadline);
    // As set(), but a later deadline than the one that is set costs no system call: the timer may then fire early, once.
    void set_at_latest(dunlin::Instant deadline);

  private:
    void expired();

    asio::posix::stream_descriptor descriptor_;
    dunlin::Instant deadline_ = dunlin::kNever;
    std::function<void()> on_expiry_;
    ReadinessWait wait_;
};

}  // namespace dunlin_asio
