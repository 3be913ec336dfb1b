#pragma once

#include "frame.hpp"

#include <cstdint>
#include <vector>

namespace dunlin_wire {

// The classic pcap format (draft-ietf-opsawg-pcap): version 2.4, little-endian, microseconds, LINKTYPE_ETHERNET, frames whole and
// without their checksum.
void append_pcap_header(std::vector<std::byte>& file);
// `at_us`: microseconds since 1970, 0 or more; the format has 32 bits for the seconds.
void append_pcap_record(std::vector<std::byte>& file, std::int64_t at_us, FrameBytes frame);

}  // namespace dunlin_wire
