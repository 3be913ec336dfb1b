// Every byte string is safe to read as a packet. Each input is read twice: as it is, and with magic, version and checksum
// made right, or nothing behind the header would ever be reached.
#include "wire/packets.hpp"
#include "wire/visit_records.hpp"

#include <dunlin/core/assert.hpp>

#include <cstdint>

namespace {

using namespace dunlin;

volatile std::uint64_t seen;  // so that no read is optimised away

std::uint64_t read_packet(std::span<const std::byte> packet) {
    Counters counters;
    auto reader = wire::PacketReader::open(packet, counters);
    DUNLIN_ASSERT(test::refused_count(counters) == (reader ? 0U : 1U));
    std::uint64_t sum = 0;
    wire::Record record;
    while (reader && reader->next(record)) { sum += test::visit(record) + test::sum_of(record.fixed) + test::sum_of(record.bytes); }
    return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    seen = read_packet(bytes);
    if (size < wire::kHeaderBytes) return 0;
    test::Bytes sealed(bytes.begin(), bytes.end());
    const auto header = wire::load<wire::PacketHeader>(sealed);
    const wire::PacketHeader right(wire::kMagic, wire::kVersion, header.flags(), 0, header.cluster(), header.source(), header.destination(),
                                   header.epoch(), header.session(), header.number());
    std::ranges::copy(bytes_of(right), sealed.begin());
    test::seal(sealed);
    seen = read_packet(sealed);
    return 0;
}
