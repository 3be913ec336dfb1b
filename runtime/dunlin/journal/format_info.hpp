#pragma once

#include <dunlin/core/bytes.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/core/status.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace dunlin::journal {

inline constexpr std::uint16_t kFormatVersion = 2;   // of the layout of banks, records and their payloads
inline constexpr std::size_t kFormatInfoBytes = 56;  // on the device

// Whose journal this is; minted by `init` or `join` and never changed. It is the first record of every bank: the owner
// of the journal emits it first in each checkpoint. Its layout in memory is that on the device.
struct FormatInfo {
    std::uint16_t version = kFormatVersion;
    NodeId node{};
    std::uint8_t cluster_length = 0;  // 0..32
    std::array<std::uint8_t, 3> reserved{};
    StorageId storage{};  // random, nonzero
    StreamId stream{};    // random, nonzero: names this publisher's numbering across restarts
    std::array<char, kClusterNameBytesMax> cluster{};

    [[nodiscard]] std::string_view cluster_name() const { return {cluster.data(), cluster_length}; }
    // invalid_argument (and unchanged) if longer than 32 bytes.
    Status set_cluster_name(std::string_view name);
};
static_assert(sizeof(FormatInfo) == kFormatInfoBytes && std::is_trivially_copyable_v<FormatInfo>);
static_assert(offsetof(FormatInfo, storage) == 8 && offsetof(FormatInfo, stream) == 16 && offsetof(FormatInfo, cluster) == 24);

// A new one, in `info`. invalid_argument: the cluster's name is longer than 32 bytes.
Status fill(FormatInfo& info, NodeId node, StorageId storage, StreamId stream, std::string_view cluster);

// The payload of a `format` record: valid as long as `info` is.
[[nodiscard]] inline std::span<const std::byte> encode(const FormatInfo& info) { return std::as_bytes(std::span{&info, 1}); }
void encode(const FormatInfo&&) = delete;
// corrupt if malformed; unsupported_version if written by a newer runtime.
[[nodiscard]] Result<FormatInfo> decode_format_info(std::span<const std::byte> payload);

}  // namespace dunlin::journal
