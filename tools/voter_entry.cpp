#include "voter_entry.hpp"

#include "values.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace dunlin_tool {

std::string to_text(const VoterEntry& entry) {
    std::array<char, 32> names{};
    std::snprintf(names.data(), names.size(), "%u:%016llx", static_cast<unsigned>(entry.node.value()),
                  static_cast<unsigned long long>(entry.storage.value()));
    return names.data() + ("@" + entry.address);
}

std::optional<VoterEntry> read_voter_entry(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::size_t at = text.find('@');
    if (colon == std::string_view::npos || at == std::string_view::npos || at < colon) return std::nullopt;
    const std::optional<std::uint64_t> node = read_number(text.substr(0, colon));
    const std::optional<std::uint64_t> storage = read_number("0x" + std::string(text.substr(colon + 1, at - colon - 1)));
    const std::string_view address = text.substr(at + 1);
    if (!node || *node == 0 || *node > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
    if (!storage || *storage == 0 || !is_address(address, false)) return std::nullopt;
    return VoterEntry{dunlin::NodeId{static_cast<std::uint16_t>(*node)}, dunlin::StorageId{*storage}, std::string(address)};
}

}  // namespace dunlin_tool
