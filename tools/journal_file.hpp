#pragma once

#include "host_limits.hpp"
#include "record_writer.hpp"

#include <dunlin/core/status.hpp>
#include <dunlin/node/formatter.hpp>
#include <dunlin/node/journal_need.hpp>

#include <dunlin_asio/file_device.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dunlin_tool {

inline constexpr std::uint64_t kMemberJournalBytes = 16U << 20U;
inline constexpr std::uint64_t kVoterJournalBytes = kMemberJournalBytes;  // at a member it is refused for what it is, not for its size
static_assert(kMemberJournalBytes >= dunlin::journal_device_bytes_min<kHostSubscriber>());
static_assert(kVoterJournalBytes >= dunlin::journal_device_bytes_min<host_voter(dunlin::limits::small.ledger)>());
static_assert(kVoterJournalBytes >= dunlin::journal_device_bytes_min<host_voter(dunlin::limits::voter_min.ledger)>());

// A plan with fresh random numbers; `cluster` outlives it.
[[nodiscard]] dunlin::FormatPlan fresh_plan(std::uint16_t id, std::string_view cluster);

// Makes a journal file. It appears under `path` whole or not at all: it is formatted under another name first. Throws
// HostError or ToolError: the file exists, cannot be made, or the plan is wrong.
void make_journal(const std::string& path, std::uint64_t bytes, const dunlin::FormatPlan& plan);
void make_journal(const std::string& path, std::uint64_t bytes, const JournalPlan& plan);

// That the file `path`, just made, is found again after a loss of power. Blocks. Throws HostError, which calls it `name`.
void sync_folder_of(const std::string& path, const std::string& name);

// For Event::failed: one sentence that says why a node cannot use its journal. `node`: whose it should be, such as "node 7 of cluster
// 'plant'". `failure`: of the device, where it is that.
[[nodiscard]] std::string why_journal_failed(const std::string& path, const std::string& node, dunlin::Status status,
                                             const std::optional<dunlin_asio::FileDevice::Failure>& failure);

}  // namespace dunlin_tool
