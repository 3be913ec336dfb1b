#include <dunlin_asio/stop_signals.hpp>

#include <dunlin_asio/boot_clock.hpp>

#include <csignal>
#include <system_error>

namespace dunlin_asio {

StopSignals::StopSignals(asio::io_context& io, dunlin::Duration one_wish) : state_(std::make_shared<State>(io, one_wish)) {
    state_->signals.add(SIGTERM);
    state_->signals.add(SIGINT);
    wait(state_);
}

void StopSignals::wait(const std::shared_ptr<State>& state) {
    state->signals.async_wait([weak = std::weak_ptr<State>(state)](const std::error_code& error, int signal) {
        const std::shared_ptr<State> alive = weak.lock();
        if (error || !alive) return;
        const dunlin::Instant now = boot_now();
        if (alive->count == 0 || now - alive->counted_at >= alive->one_wish) {
            if (alive->count++ == 0) alive->first = signal;
            alive->counted_at = now;
        }
        wait(alive);
    });
}

}  // namespace dunlin_asio
