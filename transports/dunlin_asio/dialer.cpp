#include <dunlin_asio/dialer.hpp>

#include <system_error>

namespace dunlin_asio {

Dialer::Dialer(asio::io_context& io, asio::ip::udp family) : family_(family), resolver_(io), state_(std::make_shared<State>()) {}

void Dialer::look_up(std::uint16_t dial, std::string_view address) {
    if (const std::optional<Endpoint> endpoint = numeric_address(address)) {
        state_->answers.push_back({.dial = dial, .endpoint = endpoint});
        return;
    }
    const std::optional<HostPort> name = split_address(address);
    if (!name || state_->lookups == kLookupsMax) {
        state_->answers.push_back({.dial = dial});
        return;
    }
    look_up_name(dial, *name);
}

void Dialer::look_up_name(std::uint16_t dial, const HostPort& name) {
    ++state_->lookups;
    const auto done = [state = state_, dial](const std::error_code& error, const asio::ip::udp::resolver::results_type& found) {
        --state->lookups;
        Answer answer{.dial = dial};
        if (!error && !found.empty()) answer.endpoint = found.begin()->endpoint();
        state->answers.push_back(answer);
    };
    if (family_ == asio::ip::udp::v4()) {
        resolver_.async_resolve(family_, name.host, name.port, done);
    } else {
        resolver_.async_resolve(name.host, name.port, done);
    }
}

std::optional<Dialer::Answer> Dialer::take() {
    if (state_->answers.empty()) return std::nullopt;
    const Answer answer = state_->answers.front();
    state_->answers.erase(state_->answers.begin());
    return answer;
}

}  // namespace dunlin_asio
