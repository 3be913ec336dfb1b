#include "pcap_format.hpp"

namespace dunlin_wire {
namespace {

void append(std::vector<std::byte>& file, std::uint32_t value, unsigned bytes = 4) {
    for (unsigned i = 0; i < bytes; ++i) file.push_back(static_cast<std::byte>(value >> 8U * i));
}

}  // namespace

void append_pcap_header(std::vector<std::byte>& file) {
    constexpr std::uint32_t kMagicMicroseconds = 0xa1b2c3d4;
    constexpr std::uint32_t kLinkTypeEthernet = 1;
    append(file, kMagicMicroseconds);
    append(file, 2, 2);
    append(file, 4, 2);
    append(file, 0);  // reserved
    append(file, 0);  // reserved
    append(file, kFrameBytesMax);
    append(file, kLinkTypeEthernet);
}

void append_pcap_record(std::vector<std::byte>& file, std::int64_t at_us, FrameBytes frame) {
    append(file, static_cast<std::uint32_t>(at_us / 1'000'000));
    append(file, static_cast<std::uint32_t>(at_us % 1'000'000));
    append(file, static_cast<std::uint32_t>(frame.size()));  // recorded
    append(file, static_cast<std::uint32_t>(frame.size()));  // on the wire
    file.insert(file.end(), frame.begin(), frame.end());
}

}  // namespace dunlin_wire
