#include <dunlin_asio/stop_signals.hpp>

#include <csignal>
#include <system_error>

namespace dunlin_asio {

StopSignals::StopSignals(asio::io_context& io) : state_(std::make_shared<State>(io)) {
    state_->signals.add(SIGTERM);
    state_->signals.add(SIGINT);
    wait(state_);
}

void StopSignals::wait(const std::shared_ptr<State>& state) {
    state->signals.async_wait([weak = std::weak_ptr<State>(state)](const std::error_code& error, int signal) {
        const std::shared_ptr<State> alive = weak.lock();
        if (error || !alive) return;
        if (alive->count++ == 0) alive->first = signal;
        wait(alive);
    });
}

}  // namespace dunlin_asio
