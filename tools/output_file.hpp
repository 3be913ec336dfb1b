#pragma once

#include "file_mark.hpp"

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
    // `path` empty: standard output. Else the file is made where there is none, and cut back to `position`, as position() gave it once
    // (0: the start; nothing: the same, and nobody keeps positions of it); what stands before is read once more. Throws ToolError or HostError:
    // it cannot be opened or made, or is not the file that the position came from.
    OutputFile(asio::io_context& io, const std::string& path, std::optional<std::uint64_t> position);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    // Takes the line and adds its newline. False: the reader is too far behind; nothing was taken.
    [[nodiscard]] bool write_line(std::string_view line);
    // Hands what is gathered to the kernel, as far as it takes it now. Throws ToolError: it cannot, or the file is longer than positions go.
    void flush();
    [[nodiscard]] bool empty() const { return begin_ == buffer_.size(); }
    [[nodiscard]] bool half_empty() const;  // after write_line() said false: it is worth another try
    // Of the file once everything is written; nothing for what is no file with a name, where nothing can be cut off.
    [[nodiscard]] std::optional<std::uint64_t> position() const { return has_positions_ ? std::optional(mark_.position()) : std::nullopt; }
    [[nodiscard]] std::uint64_t lines_kept() const { return lines_kept_; }
    // For FileDevice::before_write(): the lines are on disk before the journal says that they are.
    [[nodiscard]] dunlin_asio::FileDevice::Flush flush_for_journal();

  private:
    void keep(const std::string& path, std::uint64_t position);
    [[nodiscard]] bool write_some();

    std::string name_;
    int descriptor_ = -1;
    int flags_before_ = -1;  // of standard output, given back at the end
    std::string buffer_;
    std::size_t begin_ = 0;
    bool has_positions_ = false;
    FileMark mark_;
    std::uint64_t lines_kept_ = 0;
    bool unsynced_ = false;
    std::optional<asio::posix::stream_descriptor> stream_;
    dunlin_asio::ReadinessWait writable_;
};

}  // namespace dunlin_tool
