#pragma once

#include "hosted_node.hpp"

#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/core/time.hpp>

#include <dunlin_asio/boot_timer.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace dunlin_tool {

// How a voter with a corrupt journal comes back (docs/decisions/0024). It has forgotten promises, so it never votes again on
// that storage: the others give its place to another one, in three changes of members. How far that is stands in the name
// of an empty file, '<journal>.rejoin-<phase>', so that a process that is killed on the way goes on where it was; above all,
// it never asks to be removed once it may have been added again.
enum class RejoinPhase : std::uint8_t {
    remove,   // the node with its old storage
    add,      // it with the new one, as a learner
    promote,  // to a voter, once it has caught up
    done,
};

class RejoinFile {
  public:
    explicit RejoinFile(const std::string& journal) : stem_(journal + ".rejoin-") {}

    [[nodiscard]] RejoinPhase read() const;  // done: there is none
    // It is on the disk when this returns. Throws HostError or ToolError(kCannotStart).
    void write(RejoinPhase phase) const;

  private:
    [[nodiscard]] std::string name_of(RejoinPhase phase) const;

    std::string stem_;
};

// Phase `remove` as far as files go: the corrupt journal becomes '<journal>.corrupt', and there is a new one under its name.
// What a process before has done of it stays. Throws HostError or ToolError(kCannotStart): above all where another file was
// set aside before, at which somebody should look first.
void set_journal_aside(const HostSettings& settings, const RejoinFile& file);

// Asks at one node for the changes from one phase on, each again and again until it is made.
class RejoinRequests {
  public:
    struct Place {
        std::uint16_t id;
        dunlin::StorageId storage;  // the new one
        std::string address;
        dunlin::StorageId old_storage{};  // 0: it cannot be read any more
    };

    // `until`: the first phase for which it does not ask. `reached` is called then, in the loop. `asked_before`: by a process before, perhaps.
    RejoinRequests(HostedNode& host, const RejoinFile& file, Place place, RejoinPhase until, bool asked_before,
                   std::function<void()> reached);
    // Throws ToolError(kFailed): somebody has removed the node before, so it stays out; the file is gone then.
    void take_event(dunlin::Instant now, const dunlin::Event& event);
    [[nodiscard]] dunlin::Status refused() const { return refused_; }  // ok: not since the last change

  private:
    void ask(dunlin::Instant now);
    void answered(dunlin::Instant now, dunlin::Status status);
    [[nodiscard]] bool made(dunlin::Status status) const;

    HostedNode& host_;
    RejoinFile file_;
    Place place_;
    RejoinPhase phase_;
    RejoinPhase until_;
    bool asked_before_;
    std::function<void()> reached_;
    std::optional<dunlin::RequestId> request_;
    dunlin::Status refused_ = dunlin::Status::ok;
    dunlin_asio::BootTimer pause_;
};

// Phases `remove` and `add`, by a member of an id of its own: voters hear no node with another storage than their log names.
// Blocks until they are done, which may take until there is a quorum, or until a signal ends it: kDone, and RejoinFile says
// which. Or an error that was told.
// `asked_before` and what it throws: as RejoinRequests.
[[nodiscard]] ExitCode ask_for_place(const HostSettings& settings, const std::string& address, bool asked_before);

// The storage of a journal that is whole. Throws as inspect_journal(), or ToolError(kCannotStart).
[[nodiscard]] dunlin::StorageId storage_of(const std::string& journal);

}  // namespace dunlin_tool
