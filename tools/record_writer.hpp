#pragma once

#include <dunlin/core/bytes.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/journal.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace dunlin_tool {

// A record with its bytes.
struct OwnedRecord {
    template <class Record>
    static OwnedRecord of(dunlin::journal::RecordKind kind, const Record& record) {
        const std::span<const std::byte> bytes = dunlin::bytes_of(record);
        return {kind, {bytes.begin(), bytes.end()}};
    }

    dunlin::journal::RecordKind kind{};
    std::vector<std::byte> bytes;
};

// What a new journal is to hold from the start.
struct JournalPlan {
    dunlin::StorageId storage{};
    std::vector<OwnedRecord> records;    // the first is `format`, with that storage
    std::uint32_t record_bytes_max = 0;  // head included: 512 bytes to 1 MiB, a multiple of 8. What its node's buffer has at least.
};

// Gives a device a new journal with these records; driven like dunlin::Formatter.
class RecordWriter {
  public:
    // Both outlive it.
    RecordWriter(dunlin::journal::Journal& journal, const JournalPlan& plan) : journal_(&journal), plan_(&plan) {}

    dunlin::Status begin(std::uint64_t device_bytes);
    [[nodiscard]] std::optional<dunlin::journal::DeviceOp> poll_op();
    void on_complete(std::uint32_t id, dunlin::Status status) { journal_->on_complete(id, status, 0); }
    [[nodiscard]] bool done() const;
    // too_large: a record is longer than record_bytes_max; device_full: they do not fit.
    [[nodiscard]] dunlin::Status status() const { return failure_ != dunlin::Status::ok ? failure_ : journal_->status(); }

  private:
    dunlin::journal::Journal* journal_;
    const JournalPlan* plan_;
    std::size_t written_ = 0;
    dunlin::Status failure_ = dunlin::Status::ok;
    bool finished_ = false;
};

}  // namespace dunlin_tool
