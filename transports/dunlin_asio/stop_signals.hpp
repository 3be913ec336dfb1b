#pragma once

#include <dunlin/core/time.hpp>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <cstddef>
#include <memory>

namespace dunlin_asio {

// SIGTERM and SIGINT as a count, for as long as it lives; before and after, they do what they did. What comes less than `one_wish` after
// the last counted one is the same wish and is not counted: timeout(1) signals its child and then the child's whole group, and a terminal
// signals a group of which a member may pass the signal on.
class StopSignals {
  public:
    // So whoever wants it ended at once waits a second before the next signal.
    static constexpr dunlin::Duration kOneWish = dunlin::seconds{1};

    explicit StopSignals(asio::io_context& io, dunlin::Duration one_wish = kOneWish);
    // How many wishes have come so far; the io_context wakes up for each.
    [[nodiscard]] std::size_t count() const { return state_->count; }
    // The first of them; 0: none has come.
    [[nodiscard]] int first() const { return state_->first; }

  private:
    struct State {
        State(asio::io_context& io, dunlin::Duration one) : signals(io), one_wish(one) {}
        asio::signal_set signals;
        dunlin::Duration one_wish;
        dunlin::Instant counted_at{};  // the last
        std::size_t count = 0;
        int first = 0;
    };
    static void wait(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

}  // namespace dunlin_asio
