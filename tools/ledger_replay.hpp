#pragma once

#include "journal_contents.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace dunlin_tool {

// The ledger's state after the snapshot and every entry behind it, committed or not, as a sealed image. Throws
// ToolError(kCannotStart) with a sentence that begins with `name` of the journal: it has no copy of a cluster's log, or one
// that this version of dunlin cannot apply.
[[nodiscard]] std::vector<std::byte> replay_ledger(const ReplicaContents& replica, const std::string& name);

}  // namespace dunlin_tool
