#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/journal/device.hpp>

#include <cstdint>

// A journal of the self-test's own on the board's storage, in the bytes before `bytes`.
namespace self_test {

// The one thing in it.
struct StartRecord {
    std::uint64_t starts = 0;
    std::uint64_t drawn = 0;  // the first random number of the last start
    friend bool operator==(const StartRecord&, const StartRecord&) = default;
};

// What is on the storage of `storage_bytes`, which is left as it is. ok: a journal of the self-test's own, whole. blank: neither that nor
// any other, so that a node would find it blank too. Else something that is somebody else's, or was damaged.
[[nodiscard]] dunlin::Status look(std::uint64_t bytes, std::uint64_t storage_bytes, const dunlin::journal::Geometry& geometry);

// Opens the journal, which is formatted where it is not one of the self-test; reads what the last start left, `before` (all zeros: there was
// none), and stores `now`, with its number of starts one higher.
[[nodiscard]] dunlin::Status note_start(std::uint64_t bytes, const dunlin::journal::Geometry& geometry, StartRecord& before,
                                        StartRecord& now);

// Opens it anew, and reads.
[[nodiscard]] dunlin::Status read_start(std::uint64_t bytes, const dunlin::journal::Geometry& geometry, StartRecord& record);

}  // namespace self_test
