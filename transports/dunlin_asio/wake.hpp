#pragma once

#include <dunlin_asio/readiness_wait.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <atomic>

namespace dunlin_asio {

// Wakes the loop from another thread or a signal handler (an eventfd). Calls that come before the loop looks count as one, and cost
// no system call but the first.
class Wake {
  public:
    explicit Wake(asio::io_context& io);  // throws HostError
    // Any thread, any signal handler; never blocks.
    void wake();
    // Loop thread: whether wake() was called since the last take().
    [[nodiscard]] bool take();

  private:
    static_assert(std::atomic<bool>::is_always_lock_free);  // or a signal handler could not
    void drain_and_wait();

    asio::posix::stream_descriptor descriptor_;
    int native_;
    std::atomic<bool> called_{false};  // since the loop last looked
    bool woken_ = false;
    ReadinessWait wait_;
};

}  // namespace dunlin_asio
