#pragma once

#include <dunlin_asio/readiness_wait.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace dunlin_asio {

// Wakes the loop from another thread or a signal handler (an eventfd). Calls that come before the loop looks count as one.
class Wake {
  public:
    explicit Wake(asio::io_context& io);  // throws HostError
    // Any thread, any signal handler; never blocks.
    void wake();
    // Loop thread: whether wake() was called since the last take().
    [[nodiscard]] bool take();

  private:
    void drain_and_wait();

    asio::posix::stream_descriptor descriptor_;
    int native_;
    bool woken_ = false;
    ReadinessWait wait_;
};

}  // namespace dunlin_asio
