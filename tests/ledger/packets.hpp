#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <array>
#include <vector>

namespace dunlin::ledger::test {

// One packet's records, as one side writes them and the other reads them.
class Packet {
  public:
    Packet() : writer_(buffer_) {}
    wire::PacketWriter& writer() { return writer_; }
    std::vector<wire::Record> records() {
        wire::PacketHeader header(wire::kMagic, wire::kVersion, 0, 0, 1, 1, 1, 1, 1, 1);
        const std::size_t bytes = writer_.finish(header);
        std::optional<wire::PacketReader> reader = wire::PacketReader::open(std::span(buffer_).first(bytes), counters_);
        std::vector<wire::Record> all;
        wire::Record record{};
        while (reader->next(record)) all.push_back(record);
        return all;
    }

  private:
    std::array<std::byte, 1200> buffer_{};
    wire::PacketWriter writer_;
    Counters counters_;
};

// A record built by hand; keeps its own bytes.
template <class S>
struct Built {
    Built(wire::RecordType type, const S& value, std::span<const std::byte> tail = {}) : fixed(value), bytes(tail.begin(), tail.end()) {
        record = {type, bytes_of(fixed), bytes};
    }
    Built(const Built&) = delete;
    Built& operator=(const Built&) = delete;
    S fixed;
    std::vector<std::byte> bytes;
    wire::Record record{};
};

}  // namespace dunlin::ledger::test
