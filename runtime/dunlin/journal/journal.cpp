#include <dunlin/core/assert.hpp>
#include <dunlin/journal/high_water.hpp>
#include <dunlin/journal/journal.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::journal {

Journal::Journal(JournalStorage storage, Counters& counters, Geometry geometry)
    : buffer_(storage.buffer),
      counters_(&counters),
      recovery_(storage.buffer),
      erase_bytes_(geometry.erase_bytes),
      program_bytes_(geometry.flash() ? geometry.program_bytes : std::uint8_t{kRecordAlign}) {
    DUNLIN_ASSERT(buffer_.empty() || (buffer_.size() >= kBufferBytesMin && buffer_.size() <= kBufferBytesMax));
    DUNLIN_ASSERT(buffer_.size() % kRecordAlign == 0);
}

bool Journal::set_device(std::uint64_t device_bytes) {
    DUNLIN_ASSERT(!outstanding_ && !buffer_.empty() && appended_ == 0);
    const std::uint32_t bank_bytes = bank_bytes_of(device_bytes, erase_bytes_);
    if (bank_bytes == 0 || !Geometry{erase_bytes_, program_bytes_}.valid() || buffer_.size() % program_bytes_ != 0) {
        fail(Status::invalid_argument);
        return false;
    }
    bank_bytes_ = bank_bytes;
    erased_ = flash() ? 0 : bank_bytes;
    return true;
}

void Journal::open(std::uint64_t device_bytes) {
    DUNLIN_ASSERT(state_ == State::closed);
    if (!set_device(device_bytes)) return;
    recovery_.start(bank_bytes_);
    state_ = State::recovering;
}

void Journal::format(std::uint64_t device_bytes, StorageId storage) {
    DUNLIN_ASSERT(state_ == State::closed || state_ == State::failed);
    DUNLIN_ASSERT(storage != StorageId{});
    if (!set_device(device_bytes)) return;
    header() = BankHeader{.storage = storage.value()};
    bank_ = 1;  // so that mark_bank() takes bank 0
    std::fill_n(buffer_.begin(), kBankHeaderBytes, std::byte{0});
    step_ = Step::wipe_write;
    failure_ = Status::ok;
    state_ = State::ready;
}

void Journal::fail(Status status) {
    state_ = State::failed;
    failure_ = status;
    if (status != Status::blank) counters_->add(Counter::journal_errors);
}

bool Journal::next_recovered(RecoveredRecord& record) {
    if (state_ != State::recovering) return false;
    if (recovery_.next(record)) return true;
    if (recovery_.phase() == Recovery::Phase::done) adopt_recovered();
    if (recovery_.phase() == Recovery::Phase::failed) fail(recovery_.status());
    return false;
}

void Journal::adopt_recovered() {
    const bool unmarked = recovery_.other_active();
    header() = recovery_.header();
    bank_ = recovery_.bank();
    seed_ = bank_seed(header());
    salt_ = recovery_.next_salt();
    tail_ = recovery_.end();
    erased_ = bank_bytes_;  // nothing more is written to it where it is flash
    appended_ = written_ = durable_ = recovery_.last_sequence();
    // What was cut off is still there: records put over it could bring the rest of it back to life.
    // And of flash that reads as erased nobody knows whether a loss of power has left it so.
    must_checkpoint_ = recovery_.torn() || flash() || header().record_align != kRecordAlign || header().record_bytes_max != buffer_.size();
    if (recovery_.torn()) counters_->add(Counter::journal_torn_tails);
    state_ = State::ready;
    // The mark on the old bank may not have reached the disk before a crash.
    if (unmarked && !flash()) place_header(Step::retire_write, BankState::retired);
}

// --- The device

// Every operation is on the front of the buffer.
std::optional<DeviceOp> Journal::issue(DeviceOp::Kind kind, unsigned bank, std::uint32_t at, std::uint32_t length) {
    outstanding_ = true;
    op_bytes_ = length;
    op_kind_ = kind;
    ++op_id_;
    const std::uint64_t offset = (bank == 0 ? 0 : std::uint64_t{bank_bytes_}) + at;
    const bool sync_follows = kind == DeviceOp::Kind::write && step_ != Step::fill;  // records of a checkpoint have one behind them all
    return DeviceOp{.kind = kind, .sync_follows = sync_follows, .id = op_id_, .offset = offset, .buffer = buffer_.first(length)};
}

std::optional<DeviceOp> Journal::poll_op() {
    if (outstanding_) return std::nullopt;
    if (state_ == State::recovering) {
        Recovery::Need need{};
        if (!recovery_.next_need(need)) return std::nullopt;
        return issue(need.length > 0 ? DeviceOp::Kind::read : DeviceOp::Kind::sync, need.bank, need.at, need.length);
    }
    if (state_ != State::ready) return std::nullopt;
    if (buffered_ == 0 && !unsynced_) {
        if (step_ == Step::drain) mark_bank();
        if (step_ == Step::finish) place_header(Step::header_write, BankState::active);
    }
    switch (step_) {
        case Step::wipe_write:
        case Step::mark_write:
            if (erased_ == 0) return issue(DeviceOp::Kind::erase, bank_, 0, 0);
            return issue(DeviceOp::Kind::write, bank_, 0, flash() ? kHeaderSlotBytes : kBankHeaderBytes);
        case Step::header_write: return issue(DeviceOp::Kind::write, bank_, slot_of(BankState::active), kHeaderSlotBytes);
        case Step::retire_write: return issue(DeviceOp::Kind::write, 1U - bank_, slot_of(BankState::retired), kHeaderSlotBytes);
        case Step::mark_sync:
        case Step::header_sync: return issue(DeviceOp::Kind::sync, 0, 0, 0);
        default: return poll_group();
    }
}

std::optional<DeviceOp> Journal::poll_group() {
    // A checkpoint needs one sync for all of its records; every other group its own, before the next one is written.
    const bool one_sync = step_ == Step::fill || step_ == Step::finish;
    if (unsynced_ && !one_sync) return issue(DeviceOp::Kind::sync, 0, 0, 0);
    const bool ahead = step_ == Step::idle && flash() && erased_ < bank_bytes_ && erased_ - tail_ < erase_bytes_;
    if (whole_ > 0 ? tail_ + whole_ > erased_ : ahead) return issue(DeviceOp::Kind::erase, bank_, erased_, 0);
    if (whole_ > 0) {
        seal_records(buffer_.first(whole_), durable(), seed_, program_bytes_);
        writing_ = whole_;
        written_ = appended_ - batch_records_;
        return issue(DeviceOp::Kind::write, bank_, tail_, writing_);
    }
    if (unsynced_ && step_ == Step::finish) return issue(DeviceOp::Kind::sync, 0, 0, 0);
    return std::nullopt;
}

void Journal::on_complete(std::uint32_t id, Status status, std::size_t bytes) {
    if (!outstanding_ || id != op_id_) return;
    outstanding_ = false;
    if (state_ == State::failed) return;
    if (status != Status::ok || (op_kind_ == DeviceOp::Kind::read && bytes < op_bytes_)) return fail(Status::device_error);
    if (state_ == State::recovering) {
        recovery_.op_done();
        if (recovery_.phase() == Recovery::Phase::failed) fail(recovery_.status());
        return;
    }
    if (op_kind_ == DeviceOp::Kind::write) return write_done();
    if (op_kind_ == DeviceOp::Kind::erase) return erase_done();
    counters_->add(Counter::journal_syncs);
    sync_done();
}

void Journal::write_done() {
    counters_->add(Counter::journal_bytes, op_bytes_);
    switch (step_) {
        case Step::wipe_write: step_ = Step::drain; break;
        case Step::mark_write: step_ = Step::mark_sync; return;
        case Step::header_write: step_ = Step::header_sync; return;
        case Step::retire_write:
            step_ = Step::idle;
            unsynced_ = true;
            return;
        default: break;
    }
    std::memmove(buffer_.data(), buffer_.data() + writing_, buffered_ - writing_);
    tail_ += writing_;
    buffered_ -= writing_;
    whole_ -= writing_;
    writing_ = 0;
    unsynced_ = true;
}

void Journal::erase_done() {
    counters_->add(Counter::journal_erases);
    if (step_ == Step::wipe_write) return mark_bank();
    erased_ += erase_bytes_;
}

void Journal::sync_done() {
    switch (step_) {
        case Step::mark_sync: step_ = Step::fill; return;
        case Step::header_sync: return adopt_bank();
        default: break;
    }
    unsynced_ = false;
    if (step_ != Step::finish) durable_ = written_;
}

// --- Appending

Result<JournalSequence> Journal::append(RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second,
                                        bool continued) {
    std::span<std::byte> place;
    const Result<JournalSequence> sequence = append_open(kind, first, second.size(), place, continued);
    if (sequence.ok() && !second.empty()) std::memcpy(place.data(), second.data(), second.size());
    return sequence;
}

Result<JournalSequence> Journal::append_open(RecordKind kind, std::span<const std::byte> first, std::size_t bytes,
                                             std::span<std::byte>& second, bool continued) {
    if (state_ == State::failed) return failure_;
    if (state_ != State::ready) return Status::recovering;
    if (step_ != Step::idle || must_checkpoint_) return refuse(Status::busy);
    const Status status = put(kind, first, bytes, continued ? kRecordContinued : std::uint8_t{0}, second);
    if (status != Status::ok) return status;
    return appended();
}

Status Journal::refuse(Status status) {
    appended_ -= batch_records_;
    buffered_ = whole_;
    batch_records_ = 0;
    if (status == Status::busy) counters_->add(Counter::journal_busy);
    if (status == Status::device_full) {
        // A checkpoint would win nothing: it would be refused for ever.
        if (tail_ + buffered_ == live_end_) fail(status);
        full_ = true;
    }
    return status;
}

Status Journal::room_for(std::size_t payload_bytes) const {
    if (payload_bytes > payload_bytes_max()) return Status::too_large;
    const std::uint32_t bytes = record_bytes(static_cast<std::uint32_t>(payload_bytes), program_bytes_);
    if (buffered_ - whole_ + bytes > buffer_.size()) return Status::too_large;
    if (tail_ + buffered_ + bytes > bank_bytes_) return Status::device_full;
    return buffered_ + bytes > buffer_.size() ? Status::busy : Status::ok;
}

// `second`: where the second part is to be written.
Status Journal::put(RecordKind kind, std::span<const std::byte> first, std::size_t second_bytes, std::uint8_t flags,
                    std::span<std::byte>& second) {
    const std::size_t length = first.size() + second_bytes;
    const Status room = room_for(length);
    if (room != Status::ok) return refuse(room);
    RecordHead head{};
    head.sequence = appended_ + 1;
    head.length = static_cast<std::uint32_t>(length);
    head.salt = salt_;
    head.kind = kind;
    head.flags = flags;
    std::byte* out = buffer_.data() + buffered_;
    const std::uint32_t bytes = record_bytes(head.length, program_bytes_);
    std::memset(out + sizeof head + length, 0, bytes - sizeof head - length);
    std::memcpy(out, &head, sizeof head);
    if (!first.empty()) std::memcpy(out + sizeof head, first.data(), first.size());
    second = buffer_.subspan(buffered_ + sizeof head + first.size(), second_bytes);
    buffered_ += bytes;
    ++appended_;
    ++batch_records_;
    if ((flags & kRecordContinued) == 0) {
        whole_ = buffered_;
        batch_records_ = 0;
    }
    counters_->add(Counter::journal_appends);
    return Status::ok;
}

// --- Checkpoints

bool Journal::needs_checkpoint() const {
    if (state_ != State::ready || step_ != Step::idle) return false;
    if (must_checkpoint_) return true;
    const std::uint32_t used = tail_ + buffered_;
    if (full_) return used > live_end_;
    const std::uint32_t mark = high_water(bank_bytes_, bank_bytes(), static_cast<std::uint32_t>(buffer_.size()));
    return used >= mark - seed_ % (high_water_spread(mark, live_end_) + 1) && used - live_end_ >= least_won(bank_bytes());
}

void Journal::begin_checkpoint() {
    DUNLIN_ASSERT(state_ == State::ready && step_ == Step::idle && batch_records_ == 0);
    step_ = Step::drain;
}

// Moves on to the other bank, which is marked before its first record: its salt is then on the device, so whatever an
// interrupted checkpoint leaves there is never taken for part of the next one.
void Journal::mark_bank() {
    bank_ = static_cast<std::uint8_t>(1U - bank_);
    ++header().generation;
    header().first_sequence = appended_ + 1;
    header().sealed_through = 0;
    header().bank_bytes = bank_bytes_;
    header().record_bytes_max = static_cast<std::uint32_t>(buffer_.size());
    header().salt = salt_;
    header().record_align = program_bytes_;
    seed_ = bank_seed(header());
    tail_ = kHeaderSectorBytes;
    if (flash()) erased_ = 0;
    place_header(Step::mark_write, BankState::building);
}

// The buffer is empty in every step that writes a header: it is written from there.
void Journal::place_header(Step step, BankState state) {
    DUNLIN_ASSERT(buffered_ == 0);
    BankHeader written = header();
    written.state = state;
    if (state == BankState::active) written.sealed_through = appended_;
    if (state == BankState::retired) --written.generation;
    std::fill_n(buffer_.begin(), kBankHeaderBytes, std::byte{0});
    write_bank_header(written, buffer_);
    step_ = step;
}

Status Journal::checkpoint_append(RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
    if (state_ == State::failed) return failure_;
    DUNLIN_ASSERT(state_ == State::ready && step_ != Step::idle);
    if (step_ != Step::fill) {
        DUNLIN_ASSERT(step_ < Step::fill);
        return Status::busy;
    }
    DUNLIN_ASSERT(kind == RecordKind::format || appended_ >= header().first_sequence);
    std::span<std::byte> place;
    const Status status = put(kind, first, second.size(), 0, place);
    if (status == Status::ok && !second.empty()) std::memcpy(place.data(), second.data(), second.size());
    if (status == Status::device_full) fail(Status::device_full);
    return status;
}

void Journal::finish_checkpoint() {
    if (state_ == State::failed) return;
    DUNLIN_ASSERT(step_ == Step::fill && appended_ >= header().first_sequence);
    step_ = Step::finish;
}

// Nothing that this bank alone holds is promised before the other one is known to be retired: if this header rots, that must not pass
// for the latest truth.
void Journal::adopt_bank() {
    DUNLIN_ASSERT(written_ == appended_);
    live_end_ = tail_;
    must_checkpoint_ = full_ = false;
    counters_->add(Counter::journal_compactions);
    if (header().generation == 1) {
        durable_ = written_;
        step_ = Step::idle;
        return;
    }
    place_header(Step::retire_write, BankState::retired);
}

}  // namespace dunlin::journal
