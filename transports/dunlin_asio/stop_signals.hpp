#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <cstddef>
#include <memory>

namespace dunlin_asio {

// SIGTERM and SIGINT as a count, for as long as it lives; before and after, they do what they did.
class StopSignals {
  public:
    explicit StopSignals(asio::io_context& io);
    // How many have come so far; the io_context wakes up for each.
    [[nodiscard]] std::size_t count() const { return state_->count; }
    // The first of them; 0: none has come.
    [[nodiscard]] int first() const { return state_->first; }

  private:
    struct State {
        explicit State(asio::io_context& io) : signals(io) {}
        asio::signal_set signals;
        std::size_t count = 0;
        int first = 0;
    };
    static void wait(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

}  // namespace dunlin_asio
