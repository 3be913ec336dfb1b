#pragma once

#include <asio/io_context.hpp>

#include <chrono>
#include <memory>

namespace asio_test {

// Runs handlers of `io` until `done()`; false where that took longer than a generous limit, which only a broken program reaches.
template <class Done>
[[nodiscard]] bool run_until(asio::io_context& io, Done done, std::chrono::seconds limit = std::chrono::seconds{30}) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        io.restart();
        io.run_one_for(std::chrono::milliseconds{100});
    }
    return true;
}

}  // namespace asio_test
