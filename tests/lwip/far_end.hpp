#pragma once

#include "lwip/frames.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lwip_test {

// Another host on the wire of the fake board: tells its Ethernet address to who asks, and keeps what is sent to it.
struct FarEnd {
    Endpoint endpoint{};
    MacAddress mac{};
    bool answers = true;                // questions for its Ethernet address
    MacAddress board_mac{};             // as learnt from what the board sent
    std::vector<Datagram> datagrams{};  // that came for it, in order
    std::size_t questions = 0;          // that were asked about its address

    // Takes what the board has sent, and answers it.
    void serve();
    // Puts a datagram before the board.
    void send(Endpoint to, std::string_view payload) const;
    [[nodiscard]] std::vector<std::string> texts() const;
};

Endpoint endpoint(std::string_view text);

}  // namespace lwip_test
