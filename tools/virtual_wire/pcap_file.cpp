#include "pcap_file.hpp"

#include "pcap_format.hpp"

#include "tool_error.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>

namespace dunlin_wire {

PcapFile::PcapFile(const std::string& path, dunlin::Instant now) : path_(path) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
        throw dunlin_tool::ToolError(dunlin_tool::kCannotStart, "cannot make the pcap file '" + path + "': " + std::strerror(errno) + ".");
    }
    const auto wall_clock = std::chrono::duration_cast<dunlin::Duration>(std::chrono::system_clock::now().time_since_epoch());
    wall_clock_ahead_ = wall_clock - now.time_since_epoch();
    append_pcap_header(unwritten_);
    flush();
}

PcapFile::~PcapFile() { ::close(descriptor_); }

void PcapFile::record(dunlin::Instant now, FrameBytes frame) {
    append_pcap_record(unwritten_, dunlin::to_us(now.time_since_epoch() + wall_clock_ahead_), frame);
}

void PcapFile::flush() {
    std::span<const std::byte> rest = unwritten_;
    while (!rest.empty()) {
        const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
        if (count < 0 && errno != EINTR) {
            throw dunlin_tool::ToolError(dunlin_tool::kFailed, "cannot write the pcap file '" + path_ + "': " + std::strerror(errno) + ".");
        }
        if (count > 0) rest = rest.subspan(static_cast<std::size_t>(count));
    }
    unwritten_.clear();
}

}  // namespace dunlin_wire
