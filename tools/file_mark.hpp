#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dunlin_tool {

// How far into a file somebody is, and a digest of what stands before: both fit the 64 bits that a node's journal has for the
// application's position, so that they are durable together with the messages. A file that is another one, or was changed before that place,
// is noticed at the next start (all but one in a million).
class FileMark {
  public:
    static constexpr std::uint64_t kBytesMax = (std::uint64_t{1} << 44U) - 1;  // 16 TiB

    // Moves on over `bytes`, which come next in the file.
    void add(std::string_view bytes);
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    // bytes() is at most kBytesMax. 0: the start of any file.
    [[nodiscard]] std::uint64_t position() const;

  private:
    std::uint64_t bytes_ = 0;
    std::uint32_t digest_ = 0;  // CRC32C, of which the journal gets 20 bits
};

// How many bytes of its file a position stands for.
[[nodiscard]] constexpr std::uint64_t bytes_before(std::uint64_t position) { return position & FileMark::kBytesMax; }

// What stands in the first bytes of a file.
struct FilePrefix {
    FileMark mark;
    std::uint64_t lines = 0;  // finished ones
    char last = '\n';         // its last byte, if it has one
};

// The first bytes_before(position) bytes, which must be those that `position` came from; the descriptor's own place stays. Blocks; O(bytes).
// Throws ToolError (kCannotStart): reading failed, `name` is shorter, or does not begin with them.
[[nodiscard]] FilePrefix prefix_at(int descriptor, const std::string& name, std::uint64_t position);

}  // namespace dunlin_tool
