#pragma once

#include "hosted_node.hpp"
#include "journal_use.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace dunlin_tool {

// An id for a node that was given none: one of the upper half, so that ids given by hand stay out of its way.
[[nodiscard]] std::uint16_t random_id();

// The options that pub, sub, lease and elect share: each is a member node of its own.
class MemberOptions {
  public:
    // `with_files`: also --journal and --socket.
    void add_to(CLI::App& command, bool with_files);
    // Checks them together. Throws ToolError(kUsage).
    [[nodiscard]] HostSettings settings() const;
    [[nodiscard]] bool has_journal() const { return !journal_.empty(); }
    [[nodiscard]] const std::string& journal() const { return journal_; }  // empty: none
    // Of the journal, if there is one; `subscription` as in JournalUse.
    [[nodiscard]] std::optional<JournalUse> journal_use(const std::optional<JournalUse::Subscription>& subscription) const;
    [[nodiscard]] const std::string& socket() const { return socket_; }  // empty: none

  private:
    std::uint16_t id_ = 0;
    std::string cluster_ = "dunlin";
    std::string listen_;  // empty: not given
    std::vector<std::string> peers_;
    std::string journal_;
    std::string socket_;
    double loss_ = 0.0;
};

}  // namespace dunlin_tool
