#pragma once

#include <optional>
#include <string>

namespace dunlin_tool {

// What a member's journal is for, for good: `dunlin pub`, or `dunlin sub` of one filter, into a file or not. What is owed to a journal waits
// until somebody takes it up, and with another command nobody would: a subscriber sends no lines of a publisher, and publishers keep messages
// for the durable subscription of a filter, which then hold up everything behind them. And lines that went elsewhere are missing in a file.
// So the use stands beside the journal, in '<journal>.use'.
class JournalUse {
  public:
    struct Subscription {
        std::string filter;
        bool to_file = false;  // else what was taken is not in any file that a restart finds again
    };

    // Nothing: `dunlin pub`.
    JournalUse(std::string journal, const std::optional<Subscription>& subscription);

    // With the journal open, so that nobody else is here, and before anything is written to it. `fresh`: this process has just made the
    // journal, so a '<journal>.use' is that of one that is gone: it is removed. Throws ToolError: the journal has another use.
    void check(bool fresh) const;
    // When the node has found that it can go on with this journal. Throws ToolError.
    void note() const;

  private:
    std::string journal_;
    std::string use_;
};

}  // namespace dunlin_tool
