#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/node/formatter.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dunlin_tool {

inline constexpr std::uint64_t kMemberJournalBytes = 16U << 20U;  // holds a full outbox many times over
inline constexpr std::uint64_t kVoterJournalBytes = 4U << 20U;

// A plan with fresh random numbers; `cluster` outlives it.
[[nodiscard]] dunlin::FormatPlan fresh_plan(std::uint16_t id, std::string_view cluster);

// Makes a journal file. It appears under `path` whole or not at all: it is formatted under another name first. Throws
// HostError or ToolError: the file exists, cannot be made, or the plan is wrong.
void make_journal(const std::string& path, std::uint64_t bytes, const dunlin::FormatPlan& plan);

// For Event::failed: one sentence that says why a node cannot use its journal.
[[nodiscard]] std::string why_journal_failed(const std::string& path, dunlin::Status status);

}  // namespace dunlin_tool
