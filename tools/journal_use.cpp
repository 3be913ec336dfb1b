#include "journal_use.hpp"

#include "tool_error.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace dunlin_tool {
namespace {

constexpr std::string_view kPublishes = "pub";
constexpr std::string_view kSubscribes = "sub ";  // and the filter

std::string name_of(const std::string& journal) { return journal + ".use"; }

// Nothing: it was not noted yet, or a loss of power took the text.
std::optional<std::string> noted(const std::string& journal) {
    std::ifstream file(name_of(journal), std::ios::binary);
    if (!file) return std::nullopt;
    std::string use{std::istreambuf_iterator<char>(file), {}};
    return use.empty() ? std::nullopt : std::optional(std::move(use));
}

}  // namespace

JournalUse::JournalUse(std::string journal, std::optional<std::string> filter)
    : journal_(std::move(journal)), use_(filter ? std::string(kSubscribes) + *filter : kPublishes) {
    if (!std::filesystem::exists(journal_)) std::filesystem::remove(name_of(journal_));
}

void JournalUse::check() const {
    const std::optional<std::string> known = noted(journal_);
    if (!known || *known == use_) return;
    const std::string whose = *known == kPublishes ? "a publisher's, with messages that only `dunlin pub` sends"
                                                   : "for the subscription '" + known->substr(std::min(known->size(), kSubscribes.size())) +
                                                         "', for which publishers keep messages";
    throw ToolError(kCannotStart, "the journal '" + journal_ + "' is " + whose + ": use another journal.");
}

void JournalUse::note() const {
    if (noted(journal_)) return;
    const std::string fresh = name_of(journal_) + ".new";
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << use_ << std::flush;
    if (!file) throw ToolError(kCannotStart, "cannot write '" + fresh + "'.");
    std::filesystem::rename(fresh, name_of(journal_));
}

}  // namespace dunlin_tool
