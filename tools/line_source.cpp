#include "line_source.hpp"

#include "tool_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace dunlin_tool {
namespace {

constexpr std::size_t kBufferBytes = 256U << 10U;

}  // namespace

LineSource::LineSource(asio::io_context& io, const std::string& path, std::uint64_t position, std::size_t line_bytes_max)
    : name_(path.empty() ? "standard input" : "'" + path + "'"), line_bytes_max_(line_bytes_max), buffer_(kBufferBytes) {
    descriptor_ = path.empty() ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat found {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &found) != 0 || S_ISDIR(found.st_mode)) {
        const std::string why = descriptor_ >= 0 && S_ISDIR(found.st_mode) ? "it is a directory" : std::strerror(errno);
        if (descriptor_ >= 0) ::close(descriptor_);
        throw ToolError(kCannotStart, "cannot read " + name_ + ": " + why + ".");
    }
    // What epoll cannot wait for never lets a reader wait: files, /dev/null.
    const bool waits = !S_ISREG(found.st_mode) && (!S_ISCHR(found.st_mode) || ::isatty(descriptor_) == 1);
    if (waits) {
        flags_before_ = ::fcntl(descriptor_, F_GETFL);
        stream_.emplace(io, descriptor_);
        readable_.arm(*stream_, asio::posix::stream_descriptor::wait_read);
        return;
    }
    has_positions_ = !path.empty() && S_ISREG(found.st_mode);
    try {
        if (has_positions_ && position != 0) go_to(position);
    } catch (const ToolError&) {
        ::close(descriptor_);
        throw;
    }
}

// Another file than before would silently lose its first lines.
void LineSource::go_to(std::uint64_t position) {
    const FilePrefix prefix = prefix_at(descriptor_, name_, position);
    mark_ = prefix.mark;
    ::lseek(descriptor_, static_cast<off_t>(mark_.bytes()), SEEK_SET);
    if (prefix.last != '\n') finish_line();
}

// The line before was published when it was the last one and had no newline. Its newline is no line of its own, and anything else
// would have belonged to it.
void LineSource::finish_line() {
    while (end_ == 0 && !ended_) static_cast<void>(fill());
    if (end_ == 0) return;
    if (buffer_[0] != '\n') {
        throw ToolError(kCannotStart, name_ + " goes on, at byte " + std::to_string(mark_.bytes()) +
                                          ", with a line that was published unfinished: put a newline there, or use another --journal.");
    }
    mark_.add("\n");
    begin_ = searched_ = 1;
}

LineSource::~LineSource() {
    if (flags_before_ >= 0) ::fcntl(descriptor_, F_SETFL, flags_before_);
    if (!stream_ && descriptor_ >= 0) ::close(descriptor_);
}

bool LineSource::find_line() {
    if (line_bytes_ != 0) return true;
    const char* const from = buffer_.data() + searched_;
    const void* const newline = std::memchr(from, '\n', end_ - searched_);
    if (newline != nullptr) {
        line_bytes_ = static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_.data()) - begin_ + 1;
        newline_bytes_ = 1;
    } else if (ended_ && begin_ != end_) {
        line_bytes_ = end_ - begin_;
        newline_bytes_ = 0;
    } else {
        searched_ = end_;
    }
    const std::size_t known = line_bytes_ != 0 ? line_bytes_ - newline_bytes_ : end_ - begin_;
    if (known > line_bytes_max_) {
        throw ToolError(kFailed, "line " + std::to_string(line_number_) + " of " + name_ + " is longer than the " +
                                     std::to_string(line_bytes_max_) + " bytes that it may have.");
    }
    if (line_bytes_ == 0) return false;
    mark_after_ = mark_;
    mark_after_.add({buffer_.data() + begin_, line_bytes_});
    return true;
}

std::optional<std::string_view> LineSource::peek() {
    while (!find_line()) {
        if (!fill()) return std::nullopt;
    }
    return std::string_view(buffer_.data() + begin_, line_bytes_ - newline_bytes_);
}

void LineSource::take() {
    begin_ += line_bytes_;
    mark_ = mark_after_;
    searched_ = begin_;
    line_bytes_ = 0;
    ++line_number_;
}

std::optional<std::uint64_t> LineSource::position_after() const {
    if (!has_positions_) return std::nullopt;
    if (mark_after_.bytes() > FileMark::kBytesMax) throw ToolError(kFailed, name_ + " is too long: beyond 16 TiB no place is remembered.");
    return mark_after_.position();
}

// False: nothing came.
bool LineSource::fill() {
    if (ended_ || (stream_ && !readable_.ready())) return false;
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
    const ssize_t count = ::read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    const bool again = count < 0 && (errno == EAGAIN || errno == EINTR);
    if (count < 0 && !again) throw ToolError(kFailed, "cannot read " + name_ + ": " + std::strerror(errno) + ".");
    if (count == 0) ended_ = true;
    if (count > 0) end_ += static_cast<std::size_t>(count);
    if (stream_ && !ended_) {
        readable_.clear();
        readable_.arm(*stream_, asio::posix::stream_descriptor::wait_read);
    }
    return count >= 0;
}

}  // namespace dunlin_tool
