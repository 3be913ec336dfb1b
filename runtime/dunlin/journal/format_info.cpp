#include <dunlin/journal/format_info.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::journal {

Status FormatInfo::set_cluster_name(std::string_view name) {
    if (name.size() > kClusterNameBytesMax) return Status::invalid_argument;
    cluster.fill('\0');
    std::copy(name.begin(), name.end(), cluster.begin());
    cluster_length = static_cast<std::uint8_t>(name.size());
    return Status::ok;
}

Status fill(FormatInfo& info, NodeId node, StorageId storage, StreamId stream, std::string_view cluster) {
    info = {.node = node, .storage = storage, .stream = stream};
    return info.set_cluster_name(cluster);
}

Result<FormatInfo> decode_format_info(std::span<const std::byte> payload) {
    FormatInfo info{};
    if (payload.size() < sizeof info.version) return Status::corrupt;
    std::memcpy(static_cast<void*>(&info), payload.data(), std::min(payload.size(), sizeof info));
    if (info.version != kFormatVersion) return info.version == 0 ? Status::corrupt : Status::unsupported_version;
    if (payload.size() != sizeof info || info.cluster_length > kClusterNameBytesMax) return Status::corrupt;
    return info;
}

}  // namespace dunlin::journal
