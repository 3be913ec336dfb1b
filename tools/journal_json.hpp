#pragma once

#include "journal_inspection.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace dunlin_tool {

// All of it, under the names that `dunlin status --json` has for the same things. Absent: what the journal does not hold.
// `position_bytes` is what a position means to `dunlin pub` and `dunlin sub`: how much of their file.
[[nodiscard]] nlohmann::ordered_json journal_json(const std::string& path, const JournalInspection& inspection);

}  // namespace dunlin_tool
