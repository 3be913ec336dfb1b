// What a packet of 64-byte messages costs to write and to read, checksum included.
#include <dunlin/core/checksum.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using namespace dunlin;

using Packet = std::array<std::byte, wire::kPacketBytesDefault>;
constexpr std::array<std::byte, 64> kPayload{};

std::size_t write_packet(Packet& packet) {
    wire::PacketWriter writer{packet};
    const wire::Ping ping{7};
    while (writer.record(wire::RecordType::ping, ping, kPayload)) {}
    return writer.finish(wire::PacketHeader{wire::kMagic, wire::kVersion, 0, 0, 1, 1, 2, 1, 7, 1});
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
}

void checksum(benchmark::State& state) {
    const Packet packet{};
    for (auto unused : state) benchmark::DoNotOptimize(crc32c(packet));
    count_bytes(state, packet.size());
}

void write(benchmark::State& state) {
    Packet packet{};
    std::size_t bytes = 0;
    for (auto unused : state) {
        bytes = write_packet(packet);
        benchmark::DoNotOptimize(packet);
    }
    count_bytes(state, bytes);
}

void read(benchmark::State& state) {
    Packet packet{};
    const std::size_t bytes = write_packet(packet);
    Counters counters;
    for (auto unused : state) {
        auto reader = wire::PacketReader::open(std::span{packet}.first(bytes), counters);
        wire::Record record;
        while (reader && reader->next(record)) benchmark::DoNotOptimize(record);
    }
    count_bytes(state, bytes);
}

BENCHMARK(checksum);
BENCHMARK(write);
BENCHMARK(read);

}  // namespace
