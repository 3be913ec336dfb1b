#include <dunlin/core/assert.hpp>
#include <dunlin/journal/recovery.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace dunlin::journal {
namespace {

// A header that cannot be read may have held a salt that is nowhere else: stay clear of it.
constexpr std::uint32_t kSaltLeap = 0x10000;

}  // namespace

void Recovery::start(std::uint32_t bank_bytes) {
    bank_bytes_ = bank_bytes;
    phase_ = Phase::first_header;
}

void Recovery::fail(Status status, std::uint32_t offset) {
    status_ = status;
    phase_ = Phase::failed;
    if (status == Status::corrupt) report_.corrupt_offset = (bank_ == 0 ? 0 : std::uint64_t{bank_bytes_}) + offset;
}

std::uint32_t Recovery::read_length() const { return std::min(static_cast<std::uint32_t>(buffer_.size()), bank_bytes_ - position_); }

bool Recovery::next_need(Need& need) const {
    need = {.at = position_, .length = 0, .bank = bank_};
    switch (phase_) {
        case Phase::first_header:
        case Phase::second_header:
            need.length = kBankHeaderBytes;
            need.bank = phase_ == Phase::first_header ? 0 : 1;
            return true;
        case Phase::replay:
            if (position_ == end_) return false;
            [[fallthrough]];
        case Phase::verify:
        case Phase::search: need.length = read_length(); return true;
        case Phase::settle: return true;
        case Phase::idle:
        case Phase::done:
        case Phase::failed: return false;
    }
    return false;
}

void Recovery::op_done() {
    window_at_ = position_;
    window_bytes_ = position_ == 0 ? 0 : read_length();
    switch (phase_) {
        case Phase::first_header:
            kinds_[0] = read_bank_header(buffer_, headers_[0]);
            phase_ = Phase::second_header;
            break;
        case Phase::second_header:
            kinds_[1] = read_bank_header(buffer_, headers_[1]);
            choose_bank();
            break;
        case Phase::verify: verify(); break;
        case Phase::search: search(); break;
        case Phase::settle:
            phase_ = Phase::replay;
            position_ = kHeaderSectorBytes;
            window_bytes_ = 0;
            expected_ = header().first_sequence;
            salt_min_ = header().salt;
            break;
        case Phase::replay: break;
        case Phase::idle:
        case Phase::done:
        case Phase::failed: DUNLIN_ASSERT(false);
    }
}

void Recovery::choose_bank() {
    constexpr std::uint8_t kNone = 2;
    std::uint8_t best = kNone;
    bool blank = true;
    for (std::uint8_t bank = 0; bank < 2; ++bank) {
        const BankHeader& header = headers_[bank];
        const bool valid = kinds_[bank] == BankHeaderKind::valid;
        if (kinds_[bank] == BankHeaderKind::other_version) return fail(Status::unsupported_version);
        next_salt_ = std::max(next_salt_, header.salt + 1);
        const bool first_format = valid && header.state == BankState::building && header.generation == 1;
        blank = blank && (kinds_[bank] == BankHeaderKind::blank || first_format);
        if (!valid || header.state != BankState::active) continue;
        if (best == kNone || header.generation > headers_[best].generation) best = bank;
    }
    if (std::ranges::find(kinds_, BankHeaderKind::garbage) != kinds_.end()) next_salt_ += kSaltLeap;
    if (best == kNone) return fail(blank ? Status::blank : Status::corrupt);
    bank_ = best;
    const Status status = check_header();
    if (status != Status::ok) return fail(status);
    expected_ = header().first_sequence;
    seed_ = bank_seed(header());
    salt_min_ = header().salt;
    position_ = end_ = kHeaderSectorBytes;
    phase_ = Phase::verify;
}

Status Recovery::check_header() const {
    const BankHeader& best = header();
    const BankHeader& other = headers_[1U - bank_];
    if (best.bank_bytes != bank_bytes_) return Status::invalid_argument;
    if (best.record_bytes_max > buffer_.size()) return Status::too_large;
    // A retired bank says that a later one was whole: if that is gone, this one is not the latest truth.
    if (other.state == BankState::retired && other.generation >= best.generation) return Status::corrupt;
    const bool aligned =
        best.record_align >= kRecordAlign && best.record_align <= kHeaderSlotBytes && std::has_single_bit(best.record_align);
    const bool sane =
        aligned && best.record_bytes_max >= sizeof(RecordHead) && best.first_sequence > 0 && best.sealed_through >= best.first_sequence;
    return sane ? Status::ok : Status::corrupt;
}

// Whether a record of the bank is at position_, with a sequence of expected_ to expected_ + `sequence_span`.
Recovery::Look Recovery::look(RecordHead& head, std::span<const std::byte>& payload, std::uint32_t sequence_span) const {
    const std::uint32_t left = bank_bytes_ - position_;
    if (left < sizeof head) return Look::bad;
    const std::uint32_t into = position_ - window_at_;
    const std::uint32_t available = position_ < window_at_ || into > window_bytes_ ? 0 : window_bytes_ - into;
    if (available < sizeof head) return Look::unread;
    std::memcpy(&head, buffer_.data() + into, sizeof head);
    if (head.sequence - expected_ > sequence_span || head.salt < salt_min_) return Look::bad;
    if (head.length > header().record_bytes_max - sizeof head) return Look::bad;
    const std::uint32_t total = record_bytes(head.length, header().record_align);
    if (total > left || total > buffer_.size()) return Look::bad;
    if (total > available) return Look::unread;
    payload = buffer_.subspan(into + sizeof head, head.length);
    const std::uint32_t crc = head.crc;
    return crc == record_crc(head, payload, seed_) ? Look::valid : Look::bad;
}

void Recovery::step_over(const RecordHead& head) {
    salt_min_ = head.salt;
    next_salt_ = std::max(next_salt_, head.salt + 1);
    position_ += record_bytes(head.length, header().record_align);
    ++expected_;
}

void Recovery::verify() {
    while (true) {
        RecordHead head{};
        std::span<const std::byte> payload;
        const Look found = look(head, payload, 0);
        if (found == Look::unread) return;
        if (found == Look::bad) {
            // A head that was meant to be this record is a torn one, though nothing valid follows it.
            torn_ = position_ != end_ || (head.sequence == expected_ && head.salt >= header().salt);
            if (torn_) report_.torn_bytes = position_ - end_ + static_cast<std::uint32_t>(sizeof head);
            return begin_search();
        }
        if (expected_ == header().first_sequence && head.kind != RecordKind::format) return fail(Status::corrupt, position_);
        step_over(head);
        if ((head.flags & kRecordContinued) == 0) {
            end_ = position_;
            last_sequence_ = head.sequence;
        }
    }
}

void Recovery::begin_search() {
    // The header vouches for every record of the checkpoint.
    if (last_sequence_ < header().sealed_through) return fail(Status::corrupt, position_);
    bad_at_ = position_;
    position_ += kRecordAlign;
    phase_ = Phase::search;
    search();
}

void Recovery::search() {
    while (position_ + sizeof(RecordHead) <= bank_bytes_) {
        RecordHead head{};
        std::span<const std::byte> payload;
        const Look found = look(head, payload, bank_bytes_);
        if (found == Look::unread) return;
        if (found == Look::bad) {
            position_ += kRecordAlign;
            continue;
        }
        if (head.synced_through >= expected_) return fail(Status::corrupt, bad_at_);
        next_salt_ = std::max(next_salt_, head.salt + 1);
        position_ += record_bytes(head.length, header().record_align);
        torn_ = true;
        report_.torn_bytes = position_ - end_;
    }
    report_.records = static_cast<std::uint32_t>(last_sequence_ + 1 - header().first_sequence);
    position_ = end_;
    phase_ = Phase::settle;
}

bool Recovery::next(RecoveredRecord& record) {
    if (phase_ != Phase::replay) return false;
    if (position_ == end_) {
        phase_ = Phase::done;
        return false;
    }
    RecordHead head{};
    const Look found = look(head, record.bytes, 0);
    if (found == Look::unread) return false;
    if (found == Look::bad) {  // it was good a moment ago
        fail(Status::device_error);
        return false;
    }
    record.sequence = JournalSequence{head.sequence};
    record.kind = head.kind;
    step_over(head);
    return true;
}

}  // namespace dunlin::journal
