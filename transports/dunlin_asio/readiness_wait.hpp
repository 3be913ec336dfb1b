#pragma once

#include <dunlin_asio/handler_memory.hpp>

#include <functional>
#include <memory>
#include <system_error>
#include <utility>

namespace dunlin_asio {

// One repeated wait for something of ASIO's (a socket that can be read, a timer, an event): arm() starts it, ready() tells
// that it ended well. No allocation after construction. It may be destroyed while a wait is pending: what the wait needs
// lives until ASIO lets go of it, and nothing is called any more.
class ReadinessWait {
  public:
    // `on_ready` runs in the io_context at the end of each successful wait; may be empty.
    explicit ReadinessWait(std::function<void()> on_ready = {}) : state_(std::make_shared<State>()) {
        state_->on_ready = std::move(on_ready);
    }
    ReadinessWait(const ReadinessWait&) = delete;
    ReadinessWait& operator=(const ReadinessWait&) = delete;
    ~ReadinessWait() { state_->on_ready = {}; }

    // Starts a wait unless one is pending. `what` has async_wait(arguments..., handler), as ASIO's sockets and descriptors have.
    template <class Waitable, class... Arguments>
    void arm(Waitable& what, Arguments... arguments) {
        if (state_->armed) return;
        state_->armed = true;
        state_->ready = false;
        what.async_wait(arguments..., Handler{state_});
    }
    [[nodiscard]] bool armed() const { return state_->armed; }
    [[nodiscard]] bool ready() const { return state_->ready; }
    void clear() { state_->ready = false; }

  private:
    struct State {
        HandlerMemory memory;
        std::function<void()> on_ready;
        bool armed = false;
        bool ready = false;
    };
    struct Handler {
        using allocator_type = HandlerAllocator<void*>;
        std::shared_ptr<State> state;
        [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type{state->memory}; }
        void operator()(const std::error_code& error) const {
            state->armed = false;
            state->ready = !error;
            if (state->ready && state->on_ready) state->on_ready();
        }
    };
    std::shared_ptr<State> state_;
};

}  // namespace dunlin_asio
