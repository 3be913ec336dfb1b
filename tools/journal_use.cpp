#include "journal_use.hpp"

#include "tool_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace dunlin_tool {
namespace {

constexpr std::string_view kPublishes = "pub";
constexpr std::string_view kSubscribes = "sub ";  // and the filter

std::string name_of(const std::string& journal) { return journal + ".use"; }

// Nothing: it was not noted yet, a loss of power took the text, or it cannot be read: then note() says so, if it cannot replace it.
std::optional<std::string> noted(const std::string& journal) {
    std::ifstream file(name_of(journal), std::ios::binary);
    std::ostringstream use;
    if (file) use << file.rdbuf();  // which throws nothing, other than an iterator
    return use.view().empty() ? std::nullopt : std::optional(use.str());
}

}  // namespace

JournalUse::JournalUse(std::string journal, std::optional<std::string> filter)
    : journal_(std::move(journal)), use_(filter ? std::string(kSubscribes) + *filter : kPublishes) {
    std::error_code unusable;  // opening the journal says what is wrong
    if (!std::filesystem::exists(journal_, unusable) && !unusable) std::filesystem::remove(name_of(journal_), unusable);
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
    if (!file) throw ToolError(kCannotStart, "cannot write '" + fresh + "': " + std::strerror(errno) + ".");
    std::error_code error;
    std::filesystem::rename(fresh, name_of(journal_), error);
    if (error) throw ToolError(kCannotStart, "cannot write '" + name_of(journal_) + "': " + error.message() + ".");
}

}  // namespace dunlin_tool
