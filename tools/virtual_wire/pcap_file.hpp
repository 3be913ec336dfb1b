#pragma once

#include "frame.hpp"

#include <dunlin/core/time.hpp>

#include <string>
#include <vector>

namespace dunlin_wire {

// Records what the wire delivered, each copy when the other end of a port took it: what was lost or cut is not in it, what was duplicated is in
// it twice, and a broadcast once for each port. Times are the wall clock's when the file was made, and the boot clock's from there on,
// so that they never go back.
class PcapFile {
  public:
    // Makes the file, or empties it, and writes its header. Throws ToolError.
    PcapFile(const std::string& path, dunlin::Instant now);
    PcapFile(const PcapFile&) = delete;
    PcapFile& operator=(const PcapFile&) = delete;
    ~PcapFile();

    void record(dunlin::Instant now, FrameBytes frame);
    // Writes what was recorded: whoever reads the file meanwhile finds it there. Throws ToolError. No system call where there is nothing.
    void flush();

  private:
    std::string path_;
    int descriptor_ = -1;
    dunlin::Duration wall_clock_ahead_{};  // of the boot clock
    std::vector<std::byte> unwritten_;
};

}  // namespace dunlin_wire
