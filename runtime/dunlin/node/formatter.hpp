#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/journal.hpp>
#include <dunlin/ledger/commands.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dunlin {

// What a new journal says. The random numbers come from the caller's entropy, each fresh and nonzero.
struct FormatPlan {
    NodeId node{};
    StorageId storage{};
    StreamId stream{};
    std::string_view cluster{};  // 1..32 bytes; outlives the formatter
    // With `init` (on one node of a new cluster, once) the journal also gets the first log entry, which names the
    // cluster's incarnation and limits and its voters, this node under this storage among them. `bootstrap.limits` are
    // those that its voters are built with: one built with others stops at its start with invalid_argument.
    // `bootstrap.voters` outlives the formatter.
    // Without it (`join`) the journal waits to hear from such a cluster.
    bool init = false;
    ledger::Bootstrap bootstrap{};
};

// Gives a device a new journal, whatever was there (the caller asks first: see Journal::open and Status::blank). Drive
// it like a node: poll_op(), then on_complete(), until done(). The journal's buffer must hold the bootstrap entry:
// 640 bytes are enough.
class Formatter {
  public:
    Formatter(journal::Journal& journal, const FormatPlan& plan) : journal_(&journal), plan_(plan) {}

    // Nothing was touched where it is: invalid_argument, a field of the plan is out of range; not_found, (node, storage)
    // is none of the voters that it is to begin with; too_large, the journal's buffer does not hold the bootstrap entry.
    Status begin(std::uint64_t device_bytes);
    [[nodiscard]] std::optional<journal::DeviceOp> poll_op();
    void on_complete(std::uint32_t id, Status status) { journal_->on_complete(id, status, 0); }
    // True when the journal is durable, or has failed: see status().
    [[nodiscard]] bool done() const;
    Status status() const { return failure_ != Status::ok ? failure_ : journal_->status(); }

  private:
    [[nodiscard]] Status check_bootstrap() const;
    [[nodiscard]] Status append_next();

    journal::Journal* journal_;
    FormatPlan plan_;
    Status failure_ = Status::ok;
    std::uint8_t position_ = 0;
    bool finished_ = false;
};

}  // namespace dunlin
