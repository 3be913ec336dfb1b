#pragma once

#include <dunlin_asio/file_device.hpp>
#include <dunlin_asio/readiness_wait.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dunlin_tool {

// Lines on their way to a file or to standard output: gathered here and written in bulk, without ever blocking the loop on a
// slow reader.
class OutputFile {
  public:
    // `path` empty: standard output. Else the file is made where there is none, and cut to its first `keep` bytes. Throws
    // ToolError: it cannot be opened, or is shorter than that.
    OutputFile(asio::io_context& io, const std::string& path, std::uint64_t keep);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    // Takes the line and adds its newline. False: the reader is too far behind; nothing was taken.
    [[nodiscard]] bool write_line(std::string_view line);
    // Hands what is gathered to the kernel, as far as it takes it now. Throws ToolError.
    void flush();
    [[nodiscard]] bool empty() const { return begin_ == buffer_.size(); }
    [[nodiscard]] bool half_empty() const;  // after write_line() said false: it is worth another try
    // Length of the file once everything is written.
    [[nodiscard]] std::uint64_t position() const { return position_; }
    // For FileDevice::before_write(): the lines are on disk before the journal says that they are.
    [[nodiscard]] dunlin_asio::FileDevice::Flush flush_for_journal();

    // Lines in the first `bytes` bytes of the file; 0 where there is none. Reads them all.
    [[nodiscard]] static std::uint64_t count_lines(const std::string& path, std::uint64_t bytes);

  private:
    [[nodiscard]] bool write_some();

    std::string name_;
    int descriptor_ = -1;
    int flags_before_ = -1;  // of standard output, given back at the end
    std::string buffer_;
    std::size_t begin_ = 0;
    std::uint64_t position_ = 0;
    bool unsynced_ = false;
    std::optional<asio::posix::stream_descriptor> stream_;
    dunlin_asio::ReadinessWait writable_;
};

}  // namespace dunlin_tool
