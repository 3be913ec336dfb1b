#include "output_file.hpp"

#include "tool_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace dunlin_tool {
namespace {

constexpr std::size_t kBufferBytesMax = 4U << 20U;

}  // namespace

OutputFile::OutputFile(asio::io_context& io, const std::string& path, std::uint64_t keep)
    : name_(path.empty() ? "standard output" : "'" + path + "'"), position_(keep) {
    const int create = O_WRONLY | O_CREAT | O_CLOEXEC;
    descriptor_ = path.empty() ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(path.c_str(), create, 0644);
    struct stat found {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &found) != 0) {
        throw ToolError(kCannotStart, "cannot write " + name_ + ": " + std::strerror(errno) + ".");
    }
    if (!path.empty() && S_ISREG(found.st_mode)) {
        if (static_cast<std::uint64_t>(found.st_size) < keep) {
            throw ToolError(kCannotStart, name_ + " has " + std::to_string(found.st_size) + " bytes, but the journal says that " +
                                              std::to_string(keep) + " were written.");
        }
        if (::ftruncate(descriptor_, static_cast<off_t>(keep)) != 0 || ::lseek(descriptor_, 0, SEEK_END) < 0) {
            throw ToolError(kCannotStart, "cannot cut " + name_ + ": " + std::strerror(errno) + ".");
        }
    }
    const bool waits = S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode) || ::isatty(descriptor_) == 1;
    if (!waits) return;
    flags_before_ = ::fcntl(descriptor_, F_GETFL);
    stream_.emplace(io, descriptor_);
    stream_->non_blocking(true);
}

OutputFile::~OutputFile() {
    if (flags_before_ >= 0) ::fcntl(descriptor_, F_SETFL, flags_before_);
    if (!stream_ && descriptor_ >= 0) ::close(descriptor_);
}

bool OutputFile::write_line(std::string_view line) {
    if (buffer_.size() - begin_ + line.size() >= kBufferBytesMax) return false;
    buffer_.append(line).push_back('\n');
    position_ += line.size() + 1;
    unsynced_ = true;
    return true;
}

bool OutputFile::half_empty() const { return buffer_.size() - begin_ <= kBufferBytesMax / 2; }

void OutputFile::flush() {
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

std::uint64_t OutputFile::count_lines(const std::string& path, std::uint64_t bytes) {
    std::ifstream file(path, std::ios::binary);
    std::vector<char> chunk(1U << 20U);
    std::uint64_t lines = 0;
    while (bytes > 0 && file) {
        file.read(chunk.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(bytes, chunk.size())));
        lines += static_cast<std::uint64_t>(std::count(chunk.begin(), chunk.begin() + file.gcount(), '\n'));
        bytes -= static_cast<std::uint64_t>(file.gcount());
    }
    return lines;
}

}  // namespace dunlin_tool
