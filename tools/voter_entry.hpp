#pragma once

#include <dunlin/core/ids.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace dunlin_tool {

// How `dunlin join` names a voter to `dunlin init`: ID:STORAGE@HOST:PORT, the storage in hexadecimal.
struct VoterEntry {
    dunlin::NodeId node{};
    dunlin::StorageId storage{};
    std::string address;
};

[[nodiscard]] std::string to_text(const VoterEntry& entry);
// Nothing where `text` is not of that form, or id or storage is 0.
[[nodiscard]] std::optional<VoterEntry> read_voter_entry(std::string_view text);

}  // namespace dunlin_tool
