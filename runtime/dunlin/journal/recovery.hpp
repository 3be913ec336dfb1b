#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/journal/bank_header.hpp>
#include <dunlin/journal/device.hpp>
#include <dunlin/journal/record.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::journal {

struct RecoveryReport {
    std::uint64_t corrupt_offset = 0;  // device offset of the first bad byte range, when the status is corrupt
    std::uint32_t records = 0;         // given back, or to be given back
    std::uint32_t torn_bytes = 0;      // written but never synced before the crash, and cut off; a lower bound
};

// Reads a device back after a restart, in the journal's own buffer.
//
// 1. Both bank headers; the active bank of the highest generation is read. 2. The bank from its start, until a record is
// bad. 3. The rest of the bank, for a valid record that was written when the bad one was already durable: there is one:
// corrupt middle, nothing is given back; there is none: torn tail, cut off. 4. A sync, since what a killed process had
// written may still be in a cache: read does not mean durable. 5. The records again, now given to the owner: never half a
// batch, and nothing from a journal that turns out corrupt.
// Every byte of the device is read as if an enemy had written it. Cost: the bank is read at most twice.
//
// Limit: rot in the records of the very last sync before a crash, with nothing written after it, looks like a torn tail.
class Recovery {
  public:
    enum class Phase : std::uint8_t { idle, first_header, second_header, verify, search, settle, replay, done, failed };

    explicit Recovery(std::span<std::byte> buffer) : buffer_(buffer) {}

    // Once. `bank_bytes` is the size of each half of the device.
    void start(std::uint32_t bank_bytes);
    [[nodiscard]] Phase phase() const { return phase_; }
    // When failed: blank, corrupt, unsupported_version, too_large, invalid_argument, device_error.
    Status status() const { return status_; }
    [[nodiscard]] const RecoveryReport& report() const { return report_; }
    // Where it is corrupt: the sequence that the bad record should have had; 0: it is the header.
    [[nodiscard]] std::uint64_t corrupt_sequence() const { return expected_; }

    // What recovery needs next: `length` bytes into the buffer from `at` of the bank (none: a sync); false when it waits for
    // next() or is over.
    struct Need {
        std::uint32_t at;
        std::uint32_t length;
        std::uint8_t bank;
    };
    [[nodiscard]] bool next_need(Need& need) const;
    // That operation succeeded. O(buffer) CRC work.
    void op_done();
    // The next record, in order; false: an operation is needed, or (phase done) that was the last.
    [[nodiscard]] bool next(RecoveredRecord& record);
    [[nodiscard]] std::uint32_t position() const { return position_; }  // offset in the bank behind that record

    // What was read of both banks' headers, once the second was.
    [[nodiscard]] BankHeaderKind bank_kind(std::size_t bank) const { return kinds_[bank]; }
    [[nodiscard]] const BankHeader& bank_header(std::size_t bank) const { return headers_[bank]; }  // of one that is valid

    // When done: where to go on.
    [[nodiscard]] const BankHeader& header() const { return headers_[bank_]; }
    [[nodiscard]] BankHeader& spare_header() { return headers_[0]; }  // from then on the owner's
    [[nodiscard]] bool other_active() const {  // an older bank, not marked as retired; before spare_header() is written
        return kinds_[1U - bank_] == BankHeaderKind::valid && headers_[1U - bank_].state == BankState::active;
    }
    [[nodiscard]] std::uint8_t bank() const { return bank_; }
    [[nodiscard]] std::uint32_t end() const { return end_; }  // offset in the bank behind the last record
    [[nodiscard]] std::uint64_t last_sequence() const { return last_sequence_; }
    [[nodiscard]] std::uint32_t next_salt() const { return next_salt_; }  // above every salt on the device
    [[nodiscard]] bool torn() const { return torn_; }                     // something unreadable follows end()

  private:
    enum class Look : std::uint8_t { valid, bad, unread };

    void fail(Status status, std::uint32_t offset = 0);
    void choose_bank();
    Status check_header() const;
    void verify();
    void begin_search();
    void search();
    [[nodiscard]] Look look(RecordHead& head, std::span<const std::byte>& payload, std::uint32_t sequence_span) const;
    void step_over(const RecordHead& head);
    [[nodiscard]] std::uint32_t read_length() const;

    std::span<std::byte> buffer_;
    std::array<BankHeader, 2> headers_{};
    RecoveryReport report_{};
    std::uint64_t expected_ = 0;       // sequence of the record at position_ (verify, replay), or of the bad one (search)
    std::uint64_t last_sequence_ = 0;  // of the last whole batch
    std::uint32_t bank_bytes_ = 0;
    std::uint32_t window_at_ = 0;     // offset in the bank of buffer_[0]
    std::uint32_t window_bytes_ = 0;  // read there
    std::uint32_t position_ = 0;
    std::uint32_t bad_at_ = 0;
    std::uint32_t end_ = 0;
    std::uint32_t seed_ = 0;
    std::uint32_t salt_min_ = 0;  // a record below is a leftover
    std::uint32_t next_salt_ = 0;
    std::array<BankHeaderKind, 2> kinds_{};
    Phase phase_ = Phase::idle;
    Status status_ = Status::ok;
    std::uint8_t bank_ = 0;
    bool torn_ = false;
};

}  // namespace dunlin::journal
