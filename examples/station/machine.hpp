#pragma once

#include "settings.hpp"
#include "station.hpp"

#include <dunlin/core/status.hpp>
#include <dunlin/node/formatter.hpp>
#include <dunlin/node/options.hpp>

#include <cstdint>
#include <string_view>

// What differs between a host and a board: defined by host_station.cpp or by board_station.cpp, whichever is built.
namespace station::machine {

void print(std::string_view text);
void print(std::uint64_t number);
void print_error(std::string_view text);

[[nodiscard]] std::uint64_t random_nonzero_u64();
// False: it may be one that an earlier start drew.
[[nodiscard]] bool has_entropy();

// Whether settings name a storage, and the machine has it.
[[nodiscard]] bool has_storage(const Settings& settings);

// How a life ended.
struct Ending {
    bool opened = false;                         // false: network, storage or node could not be opened, which was told
    dunlin::Status status = dunlin::Status::ok;  // why the node failed; timed_out: stopped before it had drained; ok: it had
};
// Opens network and storage, makes a node in `place` with options_of(settings) and runs it to its end.
[[nodiscard]] Ending live(const Settings& settings, const NodePlace& place, const Program& program);

// Gives the storage that settings name, and that live() found blank, a new journal.
[[nodiscard]] dunlin::Status format(const Settings& settings, const dunlin::FormatPlan& plan);

}  // namespace station::machine

namespace station {

// What a node of these settings is told, but for its journal. Points into `settings`.
[[nodiscard]] dunlin::Options options_of(const Settings& settings);

}  // namespace station
