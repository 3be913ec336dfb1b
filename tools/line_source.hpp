#pragma once

#include "file_mark.hpp"

#include <dunlin_asio/readiness_wait.hpp>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin_tool {

// Lines of a file or of standard input, read in bulk and without ever blocking the loop: where there is no input yet, the
// io_context wakes up for it. A last line without a newline counts as one; whoever goes on after it may find its newline, but not more of it.
class LineSource {
  public:
    // `path` empty: standard input. `position`: where to start in a file, as position_after() gave it once (0: the start); what
    // stands before is read once more. Throws ToolError: it cannot be read, or is not the file that the position came from, or goes on
    // with a line that was given unfinished.
    LineSource(asio::io_context& io, const std::string& path, std::uint64_t position, std::size_t line_bytes_max);
    LineSource(const LineSource&) = delete;
    LineSource& operator=(const LineSource&) = delete;
    ~LineSource();

    // The next line without its newline, valid until take(); nothing for now, or no more: see at_end(). Throws ToolError:
    // a line is longer than line_bytes_max, or reading failed.
    [[nodiscard]] std::optional<std::string_view> peek();
    void take();
    [[nodiscard]] bool at_end() const { return ended_ && begin_ == end_; }
    // Where the line that peek() gives starts, in bytes from the start of the input.
    [[nodiscard]] std::uint64_t offset() const { return mark_.bytes(); }
    // Where another LineSource goes on after that line; nothing for what is no file with a name, which cannot be read twice. Throws
    // ToolError: the file is longer than positions go.
    [[nodiscard]] std::optional<std::uint64_t> position_after() const;

  private:
    void go_to(std::uint64_t position);
    void finish_line();
    [[nodiscard]] bool find_line();
    [[nodiscard]] bool fill();

    std::string name_;
    int descriptor_ = -1;
    int flags_before_ = -1;  // of standard input, given back at the end
    bool ended_ = false;
    std::size_t line_bytes_max_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t searched_ = 0;    // no newline before here
    std::size_t line_bytes_ = 0;  // of the line at begin_, newline included; 0: not known yet
    std::size_t newline_bytes_ = 0;
    FileMark mark_;        // of begin_
    FileMark mark_after_;  // of the line at begin_, where that is known
    bool has_positions_ = false;
    std::uint64_t line_number_ = 1;
    std::optional<asio::posix::stream_descriptor> stream_;
    dunlin_asio::ReadinessWait readable_;
};

}  // namespace dunlin_tool
