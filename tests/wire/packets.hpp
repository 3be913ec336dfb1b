#pragma once

#include <dunlin/wire/packet_checksum.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

// Packets for tests: made by hand, byte by byte, so that a test can make what PacketWriter never would.
namespace dunlin::test {

using Bytes = std::vector<std::byte>;

inline wire::PacketHeader some_header() {
    return {wire::kMagic, wire::kVersion, 0, 0, 0x1122334455667788U, 3, 5, 7, 0xa1a2a3a4a5a6a7a8U, 9};
}

// Makes the checksum right, whatever the packet says.
inline void seal(std::span<std::byte> packet) {
    const std::uint32_t sum = wire::packet_checksum(packet);
    for (std::size_t i = 0; i < 4; ++i) packet[4 + i] = static_cast<std::byte>(sum >> (8 * i));
}

inline Bytes packet_of(std::span<const std::byte> records, const wire::PacketHeader& header = some_header()) {
    Bytes packet(wire::kHeaderBytes + records.size());
    std::ranges::copy(bytes_of(header), packet.begin());
    std::ranges::copy(records, packet.begin() + wire::kHeaderBytes);
    seal(packet);
    return packet;
}

inline Bytes packet_of(std::initializer_list<int> record_bytes, const wire::PacketHeader& header = some_header()) {
    Bytes records;
    for (const int value : record_bytes) records.push_back(static_cast<std::byte>(value));
    return packet_of(records, header);
}

// What the one who counts sees of a packet that was opened and read to its end.
struct Reading {
    bool opened = false;
    std::size_t records = 0;
    Counters counters{};
};

inline Reading read_all(std::span<const std::byte> packet) {
    Reading reading;
    auto reader = wire::PacketReader::open(packet, reading.counters);
    reading.opened = reader.has_value();
    wire::Record record;
    while (reader && reader->next(record)) ++reading.records;
    return reading;
}

inline std::uint32_t refused_count(const Counters& counters) {
    return counters.get(Counter::packets_truncated) + counters.get(Counter::packets_bad_magic) +
           counters.get(Counter::packets_bad_version) + counters.get(Counter::packets_corrupt) + counters.get(Counter::packets_malformed);
}

}  // namespace dunlin::test
