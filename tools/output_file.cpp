#include "output_file.hpp"

#include "journal_file.hpp"
#include "tool_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace dunlin_tool {
namespace {

constexpr std::size_t kBufferBytesMax = 4U << 20U;

// For a while: what is written is opened for writing alone.
struct Reader {
    Reader(const std::string& path, const std::string& name) : descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (descriptor < 0) throw ToolError(kCannotStart, "cannot read " + name + ": " + std::strerror(errno) + ".");
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { ::close(descriptor); }

    int descriptor;
};

}  // namespace

OutputFile::OutputFile(asio::io_context& io, const std::string& path, std::optional<std::uint64_t> position)
    : name_(path.empty() ? "standard output" : "'" + path + "'") {
    const int create = O_WRONLY | O_CREAT | O_CLOEXEC;
    descriptor_ = path.empty() ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(path.c_str(), create, 0644);
    struct stat found {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &found) != 0) {
        throw ToolError(kCannotStart, "cannot write " + name_ + ": " + std::strerror(errno) + ".");
    }
    has_positions_ = !path.empty() && S_ISREG(found.st_mode);
    if (has_positions_) keep(path, position.value_or(0));
    // Also where a start before this one made it, and was interrupted. Without positions nobody relies on it.
    if (has_positions_ && position == 0U) sync_folder_of(path, name_);
    const bool waits = S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode) || ::isatty(descriptor_) == 1;
    if (!waits) return;
    flags_before_ = ::fcntl(descriptor_, F_GETFL);
    stream_.emplace(io, descriptor_);
    stream_->non_blocking(true);
}

// Nothing is cut off a file that is another one, or was changed meanwhile.
void OutputFile::keep(const std::string& path, std::uint64_t position) {
    if (position != 0) {
        const Reader reader(path, name_);
        const FilePrefix prefix = prefix_at(reader.descriptor, name_, position);
        mark_ = prefix.mark;
        lines_kept_ = prefix.lines;
    }
    if (::ftruncate(descriptor_, static_cast<off_t>(mark_.bytes())) != 0 || ::lseek(descriptor_, 0, SEEK_END) < 0)
        throw ToolError(kCannotStart, "cannot cut " + name_ + ": " + std::strerror(errno) + ".");
}

OutputFile::~OutputFile() {
    if (flags_before_ >= 0) ::fcntl(descriptor_, F_SETFL, flags_before_);
    if (!stream_ && descriptor_ >= 0) ::close(descriptor_);
}

bool OutputFile::write_line(std::string_view line) {
    if (buffer_.size() - begin_ + line.size() >= kBufferBytesMax) return false;
    buffer_.append(line).push_back('\n');
    if (has_positions_) {
        mark_.add(line);
        mark_.add("\n");
    }
    unsynced_ = true;
    return true;
}

bool OutputFile::half_empty() const { return buffer_.size() - begin_ <= kBufferBytesMax / 2; }

void OutputFile::flush() {
    if (mark_.bytes() > FileMark::kBytesMax - kBufferBytesMax)  // what a turn adds has room in the buffer
        throw ToolError(kFailed, name_ + " is too long: beyond 16 TiB no place is remembered.");
    while (!empty()) {
        if (!write_some()) break;
    }
    if (begin_ == buffer_.size() || begin_ > kBufferBytesMax / 2) {
        buffer_.erase(0, begin_);
        begin_ = 0;
    }
}

// False: the reader has no room now; the io_context wakes up when it has.
bool OutputFile::write_some() {
    if (stream_ && writable_.armed()) return false;
    const ssize_t count = ::write(descriptor_, buffer_.data() + begin_, buffer_.size() - begin_);
    if (count >= 0) {
        begin_ += static_cast<std::size_t>(count);
        return true;
    }
    if (errno == EINTR) return true;
    if (stream_ && errno == EAGAIN) {
        writable_.arm(*stream_, asio::posix::stream_descriptor::wait_write);
        return false;
    }
    throw ToolError(kFailed, "cannot write " + name_ + ": " + std::strerror(errno) + ".");
}

dunlin_asio::FileDevice::Flush OutputFile::flush_for_journal() {
    flush();
    if (!unsynced_ || stream_) return {};
    unsynced_ = false;
    return {.descriptor = descriptor_};
}

}  // namespace dunlin_tool
