#include "journal_inspection.hpp"

#include "tool_error.hpp"

#include <dunlin/core/bytes.hpp>
#include <dunlin/journal/journal.hpp>

#include <dunlin_asio/host_error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace dunlin_tool {
namespace {

using dunlin::Status;
using dunlin::journal::BankHeader;
using dunlin::journal::BankHeaderKind;
using dunlin::journal::kHeaderSectorBytes;
using dunlin::journal::Recovery;
using Verdict = JournalInspection::Verdict;

constexpr int kLooksMax = 8;

// A file that is open for reading alone.
class ReadFile {
  public:
    explicit ReadFile(const std::string& path) : path_(path) {
        // Not to wait for the writer of a pipe.
        descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (descriptor_ < 0) throw dunlin_asio::HostError("cannot open the journal '" + path + "'", errno);
    }
    ReadFile(const ReadFile&) = delete;
    ReadFile& operator=(const ReadFile&) = delete;
    ~ReadFile() { ::close(descriptor_); }

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] std::uint64_t bytes() const {
        struct stat found {};
        if (::fstat(descriptor_, &found) != 0) throw dunlin_asio::HostError("cannot read the journal '" + path_ + "'", errno);
        if (!S_ISREG(found.st_mode)) throw dunlin_asio::HostError("the journal '" + path_ + "' is not a regular file.");
        return static_cast<std::uint64_t>(found.st_size);
    }

    // Whether a node has it. The lock of one is exclusive, so a shared one is refused; where it is free it is given back at once: only a
    // node that starts within that microsecond would be told that the journal is in use.
    [[nodiscard]] bool in_use() const {
        if (::flock(descriptor_, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
        ::flock(descriptor_, LOCK_UN);
        return false;
    }

    void read(std::uint64_t offset, std::span<std::byte> into) const {
        while (!into.empty()) {
            const ssize_t count = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) throw dunlin_asio::HostError("cannot read the journal '" + path_ + "'", errno);
            if (count == 0) throw dunlin_asio::HostError("the journal '" + path_ + "' became shorter while it was read.");
            offset += static_cast<std::uint64_t>(count);
            into = into.subspan(static_cast<std::size_t>(count));
        }
    }

  private:
    std::string path_;
    int descriptor_ = -1;
};

// One look at the file. From `end` of bank `bank` on the bank is taken for blank: what lies in front of damage can be read so.
class Look {
  public:
    Look(const ReadFile& file, std::uint32_t bank_bytes)
        : file_(file), bank_bytes_(bank_bytes), buffer_(dunlin::journal::kBufferBytesMax) {}

    void end_bank_at(std::uint8_t bank, std::uint32_t end) {
        ended_ = bank;
        end_ = end;
    }

    void tell(const TakeRecord& take) { told_ = take; }

    void run() {
        recovery_.start(bank_bytes_);
        Recovery::Need need{};
        while (status_ == Status::ok && recovery_.next_need(need)) {
            read(need);
            recovery_.op_done();
            for (dunlin::journal::RecoveredRecord record; status_ == Status::ok && recovery_.next(record);) take(record);
        }
        if (status_ == Status::ok && recovery_.phase() == Recovery::Phase::failed) status_ = recovery_.status();
    }

    [[nodiscard]] Status status() const { return status_; }
    [[nodiscard]] const Recovery& recovery() const { return recovery_; }
    [[nodiscard]] bool malformed() const { return malformed_at_ != 0; }
    [[nodiscard]] JournalContents& contents() { return contents_; }

    // In the file, where it is corrupt.
    [[nodiscard]] std::uint64_t corrupt_offset() const {
        return malformed() ? offset_of(recovery_.bank()) + malformed_at_ : recovery_.report().corrupt_offset;
    }
    [[nodiscard]] std::uint64_t corrupt_sequence() const { return malformed() ? malformed_sequence_ : recovery_.corrupt_sequence(); }
    [[nodiscard]] std::uint64_t offset_of(std::uint8_t bank) const { return std::uint64_t{bank} * bank_bytes_; }

    // Whether both found the same damage.
    [[nodiscard]] bool agrees_with(const Look& other) const {
        const auto generation = [](const Look& look, std::size_t bank) { return look.recovery_.bank_header(bank).generation; };
        return status_ == other.status_ && corrupt_offset() == other.corrupt_offset() && generation(*this, 0) == generation(other, 0) &&
               generation(*this, 1) == generation(other, 1);
    }

  private:
    // A sync is asked for before anything is promised again on the strength of what was read: nothing is, here.
    void read(const Recovery::Need& need) {
        const std::span<std::byte> into = std::span(buffer_).first(need.length);
        file_.read(offset_of(need.bank) + need.at, into);
        if (need.bank != ended_ || need.at + need.length <= end_) return;
        std::ranges::fill(into.subspan(end_ > need.at ? end_ - need.at : 0), std::byte{0});
    }

    void take(const dunlin::journal::RecoveredRecord& record) {
        status_ = replay(contents_, record);
        if (told_) told_(record);
        if (status_ == Status::ok || status_ == Status::unsupported_version) return;
        malformed_at_ = recovery_.position() -
                        dunlin::journal::record_bytes(static_cast<std::uint32_t>(record.bytes.size()), recovery_.header().record_align);
        malformed_sequence_ = record.sequence.value();
    }

    const ReadFile& file_;
    std::uint32_t bank_bytes_;
    std::vector<std::byte> buffer_;
    Recovery recovery_{buffer_};
    JournalContents contents_;
    TakeRecord told_;
    Status status_ = Status::ok;
    std::uint32_t malformed_at_ = 0;
    std::uint64_t malformed_sequence_ = 0;
    std::uint8_t ended_ = 2;  // no bank
    std::uint32_t end_ = 0;
};

// What the first bytes of a bank say, whatever else is wrong with them. Every version has magic and version there.
BankHeader raw_header(const ReadFile& file, std::uint64_t offset) {
    std::array<std::byte, dunlin::journal::kHeaderSlotBytes> bytes{};
    file.read(offset, bytes);
    std::span<const std::byte> rest(bytes);
    BankHeader header{};
    (void)dunlin::take(rest, header);
    return header;
}

[[noreturn]] void refuse(const ReadFile& file, const std::string& why) {
    throw ToolError(kCannotStart, "the journal '" + file.path() + "' " + why);
}

// The first look that finds nothing wrong, or the second of two that agree.
std::unique_ptr<Look> look_until_sure(const ReadFile& file, std::uint32_t bank_bytes) {
    std::unique_ptr<Look> before;
    for (int i = 0; i < kLooksMax; ++i) {
        auto look = std::make_unique<Look>(file, bank_bytes);
        look->run();
        if (look->status() == Status::ok || (before && look->agrees_with(*before))) return look;
        before = std::move(look);
    }
    refuse(file, "is being written and never stood still: ask again, or stop its node first.");
}

void refuse_what_is_no_journal(const ReadFile& file, const Look& look) {
    const std::array<BankHeader, 2> raw{raw_header(file, look.offset_of(0)), raw_header(file, look.offset_of(1))};
    if (look.status() == Status::blank) refuse(file, "is blank: no journal was made in it.");
    if (look.status() == Status::device_error) refuse(file, "reads differently each time: its disk fails, or somebody writes to it.");
    if (look.status() == Status::unsupported_version) {
        for (std::size_t bank = 0; bank < 2; ++bank) {
            if (look.recovery().bank_kind(bank) != BankHeaderKind::other_version) continue;
            const unsigned version = raw[bank].version;
            refuse(file, "was written by another version of dunlin: it has format " + std::to_string(version) + ", and this one reads " +
                             std::to_string(dunlin::journal::kFormatVersion) + ".");
        }
        refuse(file, "was written by another version of dunlin: its names or its snapshot have a layout that this one does not read.");
    }
    if (std::ranges::none_of(raw, [](const BankHeader& header) { return header.magic == BankHeader::kMagic; }))
        refuse(file, "is none, or the headers of both its banks are lost: neither half begins as a journal does.");
}

bool made_for_another_size(const Look& look, std::uint32_t bank_bytes) {
    const auto differs = [&](std::size_t bank) {
        const Recovery& recovery = look.recovery();
        return recovery.bank_kind(bank) == BankHeaderKind::valid && recovery.bank_header(bank).bank_bytes != bank_bytes;
    };
    return differs(0) || differs(1);
}

bool bank_counts(const JournalInspection::Bank& bank) {
    return bank.kind == BankHeaderKind::valid && bank.header.state == dunlin::journal::BankState::active;
}

void take_contents(JournalInspection& inspection, Look& look) {
    inspection.contents = std::move(look.contents());
    inspection.last_sequence = look.malformed() ? look.corrupt_sequence() - 1 : look.recovery().last_sequence();
    inspection.used_bytes = look.recovery().end() - kHeaderSectorBytes;
}

void tell_records(const ReadFile& file, const Look& found, const TakeRecord& take) {
    Look again(file, dunlin::journal::bank_bytes_of(file.bytes()));
    again.tell(take);
    again.run();
    if (again.status() != Status::ok || again.recovery().last_sequence() != found.recovery().last_sequence())
        refuse(file, "is being written: stop its node first.");
}

void describe_damage(JournalInspection& inspection, const ReadFile& file, Look& look) {
    inspection.verdict = Verdict::corrupt;
    if (!inspection.current) return;
    const std::uint8_t bank = *inspection.current;
    // too_large is of the header, and has no offset.
    const std::uint64_t offset = std::max(look.corrupt_offset(), look.offset_of(bank));
    inspection.damage = {.offset = offset, .sequence = look.corrupt_sequence(), .bank = bank, .malformed = look.malformed()};
    if (look.malformed()) return take_contents(inspection, look);
    if (inspection.damage->sequence == 0) return;
    Look front(file, inspection.bank_bytes);
    front.end_bank_at(bank, static_cast<std::uint32_t>(offset - look.offset_of(bank)));
    front.run();
    if (front.status() == Status::ok) take_contents(inspection, front);
}

}  // namespace

JournalInspection inspect_journal(const std::string& path) { return inspect_journal(path, {}); }

JournalInspection inspect_journal(const std::string& path, const TakeRecord& take) {
    const ReadFile file(path);
    JournalInspection inspection;
    inspection.file_bytes = file.bytes();
    inspection.in_use = file.in_use();
    if (take && inspection.in_use) refuse(file, "is in use: stop its node first.");
    inspection.bank_bytes = dunlin::journal::bank_bytes_of(inspection.file_bytes);
    if (inspection.bank_bytes == 0)
        refuse(file, "has " + std::to_string(inspection.file_bytes) + " bytes: none was made in it, or nearly all of it is cut off.");

    const std::unique_ptr<Look> look = look_until_sure(file, inspection.bank_bytes);
    if (look->status() != Status::ok) refuse_what_is_no_journal(file, *look);
    const Recovery& recovery = look->recovery();
    for (std::size_t bank = 0; bank < 2; ++bank) inspection.banks[bank] = {recovery.bank_kind(bank), recovery.bank_header(bank)};
    if (bank_counts(inspection.banks[recovery.bank()])) inspection.current = recovery.bank();

    if (look->status() == Status::ok) {
        take_contents(inspection, *look);
        if (take) tell_records(file, *look, take);
        if (!recovery.torn()) return inspection;
        inspection.verdict = Verdict::torn_tail;
        inspection.torn_offset = look->offset_of(recovery.bank()) + recovery.end();
        inspection.torn_bytes = recovery.report().torn_bytes;
    } else if (made_for_another_size(*look, inspection.bank_bytes)) {
        inspection.verdict = Verdict::another_size;
    } else {
        describe_damage(inspection, file, *look);
    }
    return inspection;
}

}  // namespace dunlin_tool
