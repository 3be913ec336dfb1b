#pragma once

#include <optional>
#include <string>

namespace dunlin_tool {

// What a member's journal is for, for good: `dunlin pub`, or `dunlin sub` of one filter. What is owed to a journal waits until somebody takes
// it up, and with another command nobody would: a subscriber sends no lines of a publisher, and publishers keep messages for
// the durable subscription of a filter, which then hold up everything behind them. So the use stands beside the journal, in
// '<journal>.use'.
class JournalUse {
  public:
    // `filter`: of `dunlin sub`; nothing: `dunlin pub`. Call it before the journal is opened: where there is no journal it removes
    // '<journal>.use', since the use of one that is gone means nothing.
    JournalUse(std::string journal, std::optional<std::string> filter);

    // With the journal open, so that nobody else is here, and before anything is written to it. Throws ToolError: it has another use.
    void check() const;
    // When the node has found that it can go on with this journal. Throws ToolError.
    void note() const;

  private:
    std::string journal_;
    std::string use_;
};

}  // namespace dunlin_tool
