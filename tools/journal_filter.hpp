#pragma once

#include <string>
#include <string_view>

namespace dunlin_tool {

// A journal of `dunlin sub` is for one filter: publishers keep messages for its durable subscription until somebody takes them.
// Under another filter nobody would, and they would hold up everything behind them. So the filter stands beside the
// journal, in '<journal>.filter'.

// Before the journal is opened: the filter of a journal that is gone means nothing.
void forget_filter_of_missing(const std::string& journal);
// With the journal open, so that nobody else is here. `filter` empty: no subscription, as in `dunlin pub`. Throws ToolError: the
// journal is for another filter.
void claim_for_filter(const std::string& journal, std::string_view filter);

}  // namespace dunlin_tool
