#pragma once

#include <dunlin_asio/address.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace dunlin_asio {

// Turns the addresses that a node dials into endpoints. Numeric ones are answered at once; names are looked up by ASIO's own
// resolver thread, never on the loop. It may be destroyed with look-ups under way.
class Dialer {
  public:
    static constexpr std::size_t kLookupsMax = 16;

    struct Answer {
        std::uint16_t dial = 0;
        std::optional<Endpoint> endpoint{};  // nothing: no such host, malformed, or kLookupsMax are under way
    };

    // `family`: that of the socket; a v6 socket reaches v4 hosts too.
    Dialer(asio::io_context& io, asio::ip::udp family);

    // Each call gets exactly one answer.
    void look_up(std::uint16_t dial, std::string_view address);
    // The next answer, or nothing for now; the io_context wakes up when one comes.
    [[nodiscard]] std::optional<Answer> take();

  private:
    struct State {
        std::vector<Answer> answers;
        std::size_t lookups = 0;
    };
    void look_up_name(std::uint16_t dial, const HostPort& name);

    asio::ip::udp family_;
    asio::ip::udp::resolver resolver_;
    std::shared_ptr<State> state_;
};

}  // namespace dunlin_asio
