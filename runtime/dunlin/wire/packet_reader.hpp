#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin/wire/record.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace dunlin::wire {

// Reads one packet in place. Every byte string is safe to open; one that opens is well formed as a whole: checksum,
// version, and the bounds of every record. What is inside a record's bytes is for the record's owner to validate.
class PacketReader {
  public:
    // The packet in `bytes`, which must outlive the reader and its records; or nothing, and exactly one of
    //   packets_truncated    shorter than a header
    //   packets_bad_magic    not a packet of ours
    //   packets_bad_version  of a version that this build does not speak
    //   packets_corrupt      the checksum does not match
    //   packets_malformed    no source, or a record that is of type 0, overruns, or is not padded with zeros to 4 bytes
    // is counted. O(bytes): one pass for the checksum and one over the record heads.
    [[nodiscard]] static std::optional<PacketReader> open(std::span<const std::byte> bytes, Counters& counters);

    [[nodiscard]] const PacketHeader& header() const { return header_; }
    [[nodiscard]] std::size_t packet_bytes() const { return bytes_.size(); }

    // The next record whose type this build knows; false at the end. Others are skipped and counted as records_unknown.
    [[nodiscard]] bool next(Record& record);

  private:
    PacketReader(const PacketHeader& header, std::span<const std::byte> bytes, Counters& counters)
        : header_(header), bytes_(bytes), rest_(bytes.subspan(kHeaderBytes)), counters_(&counters) {}

    PacketHeader header_;
    std::span<const std::byte> bytes_;
    std::span<const std::byte> rest_;
    Counters* counters_;
};

}  // namespace dunlin::wire
