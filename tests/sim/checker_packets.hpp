#pragma once

#include <dunlin/core/lane.hpp>
#include <dunlin/wire/packet_checksum.hpp>
#include <dunlin/wire/record.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

// Packets as checkers see them: without what only their receivers look at.
namespace dunlin::sim {

template <class Struct>
void append(std::vector<std::byte>& bytes, const Struct& value) {
    const auto raw = std::as_bytes(std::span(&value, 1));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
}

// A packet with one record.
template <class Fixed>
std::vector<std::byte> packet(wire::RecordType type, const Fixed& fixed, std::span<const std::byte> rest = {}) {
    std::vector<std::byte> bytes;
    bytes.reserve(wire::kPacketBytesMin);  // GCC 12 warns of its own code where it sees the vector grow
    bytes.resize(wire::kHeaderBytes);
    const auto length = static_cast<std::uint16_t>(wire::kRecordHeadBytes + sizeof(fixed) + rest.size());
    append(bytes, length);
    bytes.push_back(static_cast<std::byte>(type));
    bytes.push_back(static_cast<std::byte>(sizeof(fixed)));
    append(bytes, fixed);
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    bytes.resize((bytes.size() + 3) / 4 * 4);
    return bytes;
}

// The same with a header that a receiver believes.
inline std::vector<std::byte> believed(std::vector<std::byte> bytes) {
    const auto write_header = [&bytes](std::uint32_t checksum) {
        const wire::PacketHeader header(wire::kMagic, wire::kVersion, 0, checksum, 0, 1, 2, 1, 1, 1);
        std::memcpy(bytes.data(), &header, sizeof(header));
    };
    write_header(0);
    write_header(wire::packet_checksum(bytes));
    return bytes;
}

// A packet with a run of one message.
inline std::vector<std::byte> run_packet(Lane lane, std::uint64_t sequence, std::span<const std::byte> payload) {
    std::vector<std::byte> message;
    append(message, wire::MessageHead(static_cast<std::uint16_t>(payload.size()), 0, 0, 0, 0));
    message.insert(message.end(), payload.begin(), payload.end());
    while (message.size() % 4 != 0) message.push_back(std::byte{});
    return packet(wire::RecordType::run, wire::Run(sequence, 0, static_cast<std::uint8_t>(index_of(lane)), 0, 1, 0), message);
}

// A packet with a run of one fragment: the `index`-th of the message whose first sequence is `first`.
inline std::vector<std::byte> fragment_packet(Lane lane, std::uint64_t first, std::uint16_t index) {
    std::vector<std::byte> message;
    append(message, wire::MessageHead(4, 0, 0, 0, static_cast<std::uint8_t>(wire::MessageFlag::fragment)));
    append(message, wire::FragmentBlock(4096, index));
    message.resize(message.size() + 4);
    return packet(wire::RecordType::run, wire::Run(first + index, 0, static_cast<std::uint8_t>(index_of(lane)), 0, 1, 0), message);
}

}  // namespace dunlin::sim
