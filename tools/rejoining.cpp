#include "rejoining.hpp"

#include "journal_file.hpp"
#include "journal_inspection.hpp"
#include "member_options.hpp"
#include "refusal.hpp"
#include "tool_error.hpp"
#include "wait_notice.hpp"

#include <dunlin/consensus/configuration.hpp>
#include <dunlin/ledger/commands.hpp>

#include <dunlin_asio/boot_clock.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace dunlin_tool {
namespace {

using dunlin::Status;

constexpr dunlin::Duration kPause = dunlin::seconds{1};
constexpr std::array<std::string_view, 3> kNames{"remove", "add", "promote"};

dunlin::consensus::ChangeOp op_of(RejoinPhase phase) {
    if (phase == RejoinPhase::remove) return dunlin::consensus::ChangeOp::remove;
    return phase == RejoinPhase::add ? dunlin::consensus::ChangeOp::add_learner : dunlin::consensus::ChangeOp::promote;
}

void move_aside(const std::string& journal, const std::string& aside) {
    std::error_code error;
    std::filesystem::rename(journal, aside, error);
    if (error) throw ToolError(kCannotStart, "cannot set '" + journal + "' aside as '" + aside + "': " + error.message() + ".");
    sync_folder_of(aside, "'" + aside + "'");
}

}  // namespace

std::string RejoinFile::name_of(RejoinPhase phase) const { return stem_ + std::string(kNames[static_cast<std::size_t>(phase)]); }

RejoinPhase RejoinFile::read() const {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        std::error_code unusable;  // then the journal is that, too
        if (std::filesystem::exists(name_of(static_cast<RejoinPhase>(i)), unusable)) return static_cast<RejoinPhase>(i);
    }
    return RejoinPhase::done;
}

void RejoinFile::write(RejoinPhase phase) const {
    const RejoinPhase before = read();
    if (before == phase) return;
    const std::string name = name_of(phase == RejoinPhase::done ? before : phase);
    std::error_code error;
    if (phase == RejoinPhase::done)
        std::filesystem::remove(name, error);
    else if (before != RejoinPhase::done)
        std::filesystem::rename(name_of(before), name, error);
    else if (!std::ofstream(name))
        error = std::error_code(errno, std::generic_category());
    if (error) throw ToolError(kCannotStart, "cannot write '" + name + "': " + error.message() + ".");
    sync_folder_of(name, "'" + name + "'");
}

void set_journal_aside(const HostSettings& settings, const RejoinFile& file) {
    const std::string aside = settings.journal + ".corrupt";
    std::error_code unusable;
    const bool is_aside = std::filesystem::exists(aside, unusable);
    if (file.read() == RejoinPhase::done) {
        const JournalInspection inspection = inspect_journal(settings.journal);
        if (inspection.contents &&
            (inspection.contents->format.node.value() != settings.id || inspection.contents->format.cluster_name() != settings.cluster))
            throw ToolError(kCannotStart, "the journal '" + settings.journal + "' is another node's, and is not set aside.");
        if (inspection.verdict != JournalInspection::Verdict::corrupt)
            throw ToolError(kCannotStart, "the journal '" + settings.journal +
                                              "' can be read after all, and is not set aside: see `dunlin journal inspect`.");
        if (is_aside) {
            throw ToolError(kCannotStart, "the journal '" + settings.journal + "' is corrupt, and so was one before it, '" + aside +
                                              "': look at the disk, and remove that file if it is sound.");
        }
        file.write(RejoinPhase::remove);
    }
    if (!is_aside) move_aside(settings.journal, aside);
    if (!std::filesystem::exists(settings.journal, unusable))
        make_journal(settings.journal, kVoterJournalBytes, fresh_plan(settings.id, settings.cluster));
}

RejoinRequests::RejoinRequests(HostedNode& host, const RejoinFile& file, Place place, RejoinPhase until, bool asked_before,
                               std::function<void()> reached)
    : host_(host),
      file_(file),
      place_(std::move(place)),
      phase_(file.read()),
      until_(until),
      asked_before_(asked_before),
      reached_(std::move(reached)),
      pause_(host.io(), [this] { ask(dunlin_asio::boot_now()); }) {}

void RejoinRequests::take_event(dunlin::Instant now, const dunlin::Event& event) {
    if (event.kind == dunlin::EventKind::started) return ask(now);
    if (event.kind == dunlin::EventKind::request_done && request_ == event.request) answered(now, event.status);
}

// An answer that was lost is asked for again, and then it is so already.
bool RejoinRequests::made(Status status) const {
    if (status == Status::ok) return true;
    return phase_ == RejoinPhase::remove ? status == Status::not_found && asked_before_ : status == Status::invalid_argument;
}

void RejoinRequests::ask(dunlin::Instant now) {
    if (phase_ >= until_) return reached_();
    const bool add = phase_ == RejoinPhase::add;
    dunlin::ledger::MemberCommand command;
    // Named, so that a late copy of a request, or one of an operator meanwhile, never touches another storage.
    command.change = {.storage = (phase_ == RejoinPhase::remove ? place_.old_storage : place_.storage).value(),
                      .node = place_.id,
                      .op = static_cast<std::uint8_t>(op_of(phase_)),
                      .reserved0 = 0,
                      .reserved1 = 0};
    if (add) command.address = std::as_bytes(std::span(place_.address));
    const auto request = host_.node().change_member(now, command);
    if (!request.ok()) return answered(now, request.status());
    request_ = request.value();
}

void RejoinRequests::answered(dunlin::Instant now, Status status) {
    request_.reset();
    if (phase_ == RejoinPhase::remove && status == Status::not_found && !asked_before_) {
        file_.write(RejoinPhase::done);
        throw ToolError(kFailed, "node " + std::to_string(place_.id) + " is no member of its cluster any more, so it does not join anew.");
    }
    asked_before_ = true;
    if (!made(status)) {
        refused_ = status;
        pause_.set(now + kPause);
        return;
    }
    refused_ = Status::ok;
    phase_ = static_cast<RejoinPhase>(static_cast<std::uint8_t>(phase_) + 1);
    file_.write(phase_);
    ask(now);
}

namespace {

// Of the file that was set aside; 0: not even that can be read.
dunlin::StorageId storage_aside(const std::string& journal) {
    std::error_code unusable;
    if (!std::filesystem::exists(journal + ".corrupt", unusable)) return {};
    const JournalInspection inspection = inspect_journal(journal + ".corrupt");
    return inspection.contents ? inspection.contents->format.storage : dunlin::StorageId{};
}

}  // namespace

ExitCode ask_for_place(const HostSettings& settings, const std::string& address, bool asked_before) {
    HostSettings member;
    member.id = random_id();
    member.cluster = settings.cluster;
    member.seeds = settings.seeds;
    member.loss_ppm = settings.loss_ppm;
    member.timing = settings.timing;
    member.stop_on_conflict = true;
    HostedNode host(member);
    const RejoinFile file(settings.journal);
    const RejoinRequests::Place place{
        .id = settings.id, .storage = storage_of(settings.journal), .address = address, .old_storage = storage_aside(settings.journal)};
    RejoinRequests requests(host, file, place, RejoinPhase::promote, asked_before, [&host] { host.loop().shutdown(); });
    const WaitNotice notice(host.io(), [&] {
        if (requests.refused() != Status::ok) return refusal(std::string(to_string(requests.refused())), {});
        return why_alone(host, "voter");
    });
    host.on_event([&requests](dunlin::Instant now, const dunlin::Event& event) { requests.take_event(now, event); });
    return host.run();
}

dunlin::StorageId storage_of(const std::string& journal) {
    const JournalInspection inspection = inspect_journal(journal);
    if (!inspection.contents) throw ToolError(kCannotStart, "the journal '" + journal + "' cannot be read.");
    return inspection.contents->format.storage;
}

}  // namespace dunlin_tool
