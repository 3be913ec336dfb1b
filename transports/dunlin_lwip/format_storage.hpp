#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/node/formatter.hpp>

#include <cstddef>
#include <span>

namespace dunlin_lwip {

// Whether the board's storage holds a journal: ok, there is one (of which a node's start will say whether it can go on from it); blank, there
// is none; else why neither can be said, such as corrupt. Changes nothing. `buffer` is the journal's, as long as the one that it was written
// with (512 bytes to 1 MiB, a multiple of 8); two reads.
[[nodiscard]] dunlin::Status look_at_storage(std::span<std::byte> buffer);

// Makes a new journal on the board's storage, as `plan` says, and returns the formatter's status: what makes a journal before there is a
// node. `buffer` as above, and at least 640 bytes for a plan with `init`. Whatever the storage held is gone: ask look_at_storage() first, and
// format only what is blank. A corrupt journal holds promises that others may rely on: to give those up is for a person to decide.
[[nodiscard]] dunlin::Status format_storage(const dunlin::FormatPlan& plan, std::span<std::byte> buffer);

}  // namespace dunlin_lwip
