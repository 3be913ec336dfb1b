#include "lwip/far_end.hpp"

#include <gtest/gtest.h>

namespace lwip_test {

void FarEnd::serve() {
    FakePort& port = fake_port();
    while (!port.sent.empty()) {
        const Frame frame = port.sent.front();
        port.sent.pop_front();
        if (const std::optional<Arp> arp = read_arp(frame)) {
            board_mac = arp->sender_mac;
            if (arp->reply || arp->target != endpoint.address) continue;
            ++questions;
            const Arp answer{.frame_to = arp->sender_mac,
                             .reply = true,
                             .sender_mac = mac,
                             .sender = endpoint.address,
                             .target_mac = arp->sender_mac,
                             .target = arp->sender};
            if (answers) port.received.push_back(write(answer));
            continue;
        }
        const std::optional<Datagram> datagram = read_datagram(frame);
        ASSERT_TRUE(datagram) << "the board sent what is neither ARP nor a datagram that is whole";
        if (datagram->to == endpoint && datagram->mac_to == mac) datagrams.push_back(*datagram);
    }
}

void FarEnd::send(Endpoint to, std::string_view payload) const {
    fake_port().received.push_back(
        write(Datagram{.mac_from = mac, .mac_to = fake_port().mac, .from = endpoint, .to = to, .payload = std::string(payload)}));
}

std::vector<std::string> FarEnd::texts() const {
    std::vector<std::string> texts;
    for (const Datagram& datagram : datagrams) texts.push_back(datagram.payload);
    return texts;
}

Endpoint endpoint(std::string_view text) {
    const std::optional<Endpoint> parsed = dunlin_lwip::parse_endpoint(text);
    EXPECT_TRUE(parsed) << text;
    return *parsed;
}

}  // namespace lwip_test
