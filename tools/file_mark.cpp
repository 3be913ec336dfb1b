#include "file_mark.hpp"

#include "tool_error.hpp"

#include <dunlin/core/assert.hpp>
#include <dunlin/core/checksum.hpp>

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

namespace dunlin_tool {

void FileMark::add(std::string_view bytes) {
    digest_ = dunlin::crc32c(std::as_bytes(std::span(bytes)), digest_);
    bytes_ += bytes.size();
}

std::uint64_t FileMark::position() const {
    DUNLIN_ASSERT(bytes_ <= kBytesMax);
    return std::uint64_t{digest_} << 44U | bytes_;
}

namespace {

// Less where the file is shorter.
FilePrefix read_prefix(int descriptor, const std::string& name, std::uint64_t bytes) {
    FilePrefix prefix;
    std::vector<char> chunk(std::size_t{1} << 20U);
    while (prefix.mark.bytes() < bytes) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes - prefix.mark.bytes(), chunk.size()));
        const ssize_t count = ::pread(descriptor, chunk.data(), wanted, static_cast<off_t>(prefix.mark.bytes()));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw ToolError(kCannotStart, "cannot read " + name + ": " + std::strerror(errno) + ".");
        if (count == 0) break;
        const std::string_view read(chunk.data(), static_cast<std::size_t>(count));
        prefix.mark.add(read);
        prefix.last = read.back();
        prefix.lines += static_cast<std::uint64_t>(std::ranges::count(read, '\n'));
    }
    return prefix;
}

}  // namespace

FilePrefix prefix_at(int descriptor, const std::string& name, std::uint64_t position) {
    const std::uint64_t bytes = bytes_before(position);
    const FilePrefix prefix = read_prefix(descriptor, name, bytes);
    const std::string known = "the " + std::to_string(bytes) + " bytes that its journal knows: for another file use another --journal.";
    if (prefix.mark.bytes() < bytes)
        throw ToolError(kCannotStart, name + " has " + std::to_string(prefix.mark.bytes()) + " bytes and is shorter than " + known);
    if (prefix.mark.position() != position) throw ToolError(kCannotStart, name + " does not begin with " + known);
    return prefix;
}

}  // namespace dunlin_tool
