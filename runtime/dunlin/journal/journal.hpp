#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/bank_header.hpp>
#include <dunlin/journal/device.hpp>
#include <dunlin/journal/format_info.hpp>
#include <dunlin/journal/record.hpp>
#include <dunlin/journal/recovery.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dunlin::journal {

inline constexpr std::size_t kBufferBytesMin = 512;
inline constexpr std::size_t kBufferBytesMax = 1U << 20U;

// Memory of a journal: `buffer` is 512 bytes to 1 MiB, a multiple of 8 (or empty: never opened). It bounds the longest
// record (payload <= buffer - 32) and how much may be appended while the device is busy. A journal must be opened with a
// buffer at least as long as the one it was written with.
struct JournalStorage {
    std::span<std::byte> buffer;
};

enum class State : std::uint8_t {
    closed,      // before open() or format()
    recovering,  // reading: call poll_op(), on_complete(), next_recovered()
    ready,       // appends are taken (or refused as busy while checkpointing())
    failed,      // see status(); everything is refused, nothing more becomes durable
};

// Crash-safe append-only storage over a small block device: a file, or NOR flash (Geometry).
//
// Invariant: once durable() has reached a record's sequence, every later open() gives that record back, until a
// checkpoint has replaced it. What is given back is always a prefix of what was appended, batches whole or not at all.
//
// The device is halved in two banks. Appends go to the active bank; when it fills, the owner writes its live state to the
// other one (a checkpoint), whose header comes last: until then a crash finds the old bank whole.
// On flash a bank is erased block by block as it is written, one block ahead while there is nothing else to do, and each start begins
// with a checkpoint: nobody can tell of a granule that reads as erased whether it is (docs/decisions/0023).
// Group commit: while a write or sync is under way appends gather in the buffer; then one write and one sync take them all.
//
// Errors of the device are final: state failed, since after a failed sync nobody knows what is on the disk.
class Journal {
  public:
    Journal(JournalStorage storage, Counters& counters, Geometry geometry = {});

    // --- Opening. `device_bytes`: 2 KiB or more, the same every time; each half is rounded down to 512 bytes (on flash to whole erase
    // blocks), and at most 1 GiB of it is used.
    // Starts recovery. Only when closed: a journal is opened once in its life.
    void open(std::uint64_t device_bytes);
    // Gives the device a new, empty journal, whatever was there: then as for a checkpoint, checkpoint_append() (a `format`
    // record first) and finish_checkpoint(). `storage`: fresh and random. Only when closed, or when recovery has failed.
    // Interrupted, the device is blank, as before, or corrupt: format again.
    void format(std::uint64_t device_bytes, StorageId storage);

    [[nodiscard]] State state() const { return state_; }
    // ok, or why failed: blank, corrupt (see report()), unsupported_version, too_large (buffer shorter than the journal's
    // records), invalid_argument (device of another size, or no such geometry), device_error, device_full (live state larger than a bank).
    Status status() const { return failure_; }
    [[nodiscard]] const RecoveryReport& report() const { return recovery_.report(); }
    // The next record of the recovered journal, in order; its bytes are valid until poll_op(). False: poll_op() is needed,
    // or state() is no longer recovering. Call it until false after every on_complete() while recovering.
    [[nodiscard]] bool next_recovered(RecoveredRecord& record);

    // --- The device.
    // What to do next; nothing while an operation is outstanding. The caller must report each with on_complete().
    [[nodiscard]] std::optional<DeviceOp> poll_op();
    // `bytes`: how many were read (ignored otherwise). An `id` other than the outstanding one is ignored.
    void on_complete(std::uint32_t id, Status status, std::size_t bytes);
    // The id of the outstanding operation; 0: there is none.
    [[nodiscard]] std::uint32_t operation() const { return outstanding_ ? op_id_ : 0; }

    // --- Appending.
    // Puts one record (`first`, then `second`) behind all others and returns its sequence: wait for durable() to reach it
    // before promising anything. O(bytes).
    // `continued`: it is atomic with the next append, and only the sequence of the last of such a batch counts. A refusal
    // of any part withdraws the whole batch; begin anew.
    //   busy          buffer full until the device is done, or a checkpoint is needed or under way: retry later
    //   too_large     longer than payload_bytes_max(), or the batch longer than the buffer
    //   device_full   the bank is full: checkpoint; nothing but live state in it: the journal has failed
    //   recovering    not open yet;   otherwise status(), when failed
    [[nodiscard]] Result<JournalSequence> append(RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second = {},
                                                 bool continued = false);
    // The same with a second part of `bytes` bytes that the caller writes to `second` before anything else is asked of the journal.
    [[nodiscard]] Result<JournalSequence> append_open(RecordKind kind, std::span<const std::byte> first, std::size_t bytes,
                                                      std::span<std::byte>& second, bool continued);
    [[nodiscard]] JournalSequence appended() const { return JournalSequence{appended_}; }  // the last one
    [[nodiscard]] JournalSequence durable() const { return JournalSequence{durable_}; }    // survives a crash, and all before it
    [[nodiscard]] std::size_t payload_bytes_max() const { return buffer_.size() - sizeof(RecordHead); }

    // --- Checkpoints.
    // The owner should checkpoint soon: the bank has passed its high-water mark (three quarters, or less where the buffer is
    // large, less up to a quarter of what it had room for: each bank of each node draws its own, so that voters, which append the
    // same, do not all stand still at once); or at once: a torn tail was cut, or it is flash that was just opened, so append() is busy
    // until then; or append() has said device_full.
    [[nodiscard]] bool needs_checkpoint() const;
    // From here to its end append() is busy. Records in the buffer are first written and synced. Only when ready, not
    // checkpointing(), and not within a batch.
    void begin_checkpoint();
    // One record of the live state; the first must be `format`. busy: poll_op() and on_complete() first (also until
    // everything from before is drained). device_full: the live state does not fit a bank; the journal has then failed,
    // and the old bank is still there for the next open().
    Status checkpoint_append(RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second = {});
    // No more records follow. The checkpoint stands when durable() reaches appended() as it is now; append() is taken
    // again when checkpointing() ends.
    void finish_checkpoint();
    [[nodiscard]] bool checkpointing() const { return step_ != Step::idle; }
    [[nodiscard]] bool checkpoint_takes_records() const { return step_ == Step::fill; }
    // Everything appended was written: a batch as long as the buffer fits.
    [[nodiscard]] bool buffer_empty() const { return buffered_ == 0; }

    [[nodiscard]] std::uint32_t bank_bytes() const { return bank_bytes_ - kHeaderSectorBytes; }  // for records; valid once opened
    [[nodiscard]] std::uint32_t used_bytes() const { return tail_ - kHeaderSectorBytes + buffered_; }

  private:
    enum class Step : std::uint8_t {
        idle,
        drain,       // what was appended is written and synced
        wipe_write,  // format: the other bank's header is erased, or overwritten with zeros
        mark_write,  // the target bank is marked `building`
        mark_sync,
        fill,          // records of the checkpoint are taken and written
        finish,        // the last of them is written and synced
        header_write,  // the target bank becomes `active`
        header_sync,
        retire_write,  // the old bank is marked; synced at once, while appends gather
    };

    // Of the bank that is written. Recovery has a place for it, of which it has no more use.
    [[nodiscard]] BankHeader& header() { return recovery_.spare_header(); }
    [[nodiscard]] bool flash() const { return erase_bytes_ != 0; }
    [[nodiscard]] bool set_device(std::uint64_t device_bytes);
    void fail(Status status);
    void adopt_recovered();
    Status put(RecordKind kind, std::span<const std::byte> first, std::size_t second_bytes, std::uint8_t flags,
               std::span<std::byte>& second);
    Status room_for(std::size_t payload_bytes) const;
    Status refuse(Status status);
    void mark_bank();
    void adopt_bank();
    void place_header(Step step, BankState state);
    [[nodiscard]] std::optional<DeviceOp> issue(DeviceOp::Kind kind, unsigned bank, std::uint32_t at, std::uint32_t length);
    [[nodiscard]] std::optional<DeviceOp> poll_group();
    void erase_done();
    void write_done();
    void sync_done();

    std::span<std::byte> buffer_;
    Counters* counters_;
    Recovery recovery_;
    std::uint64_t appended_ = 0;
    std::uint64_t written_ = 0;  // last sequence handed to the device
    std::uint64_t durable_ = 0;
    std::uint32_t bank_bytes_ = kHeaderSectorBytes;
    std::uint32_t tail_ = kHeaderSectorBytes;      // offset in the bank where buffer_[0] goes
    std::uint32_t live_end_ = kHeaderSectorBytes;  // tail_ after the last checkpoint
    std::uint32_t erase_bytes_;                    // 0: a file
    std::uint32_t erased_ = 0;                     // offset in the bank up to which it may be written
    std::uint32_t buffered_ = 0;                   // bytes in the buffer, those being written included
    std::uint32_t whole_ = 0;                      // of which belong to whole batches
    std::uint32_t writing_ = 0;                    // of which are being written
    std::uint32_t batch_records_ = 0;              // in the buffer behind whole_
    std::uint32_t seed_ = 0;
    std::uint32_t salt_ = 0;  // of the records written now
    std::uint32_t op_id_ = 0;
    std::uint32_t op_bytes_ = 0;
    DeviceOp::Kind op_kind_ = DeviceOp::Kind::read;
    State state_ = State::closed;
    Status failure_ = Status::ok;
    Step step_ = Step::idle;
    std::uint8_t bank_ = 0;
    std::uint8_t program_bytes_;  // records begin at multiples of it
    bool outstanding_ = false;
    bool unsynced_ = false;         // a group was written and not yet synced
    bool must_checkpoint_ = false;  // nothing may be appended to this bank
    bool full_ = false;             // append() said device_full
};

}  // namespace dunlin::journal
