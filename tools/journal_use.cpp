#include "journal_use.hpp"

#include "tool_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
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
constexpr std::string_view kSubscribes = "sub ";                // and the filter
constexpr std::string_view kSubscribesToFile = "sub-to-file ";  // and the filter

// One for all names of a journal, also behind symbolic links.
std::string name_of(const std::string& journal) {
    std::error_code unusable;
    const std::filesystem::path real = std::filesystem::canonical(journal, unusable);
    return (unusable ? journal : real.string()) + ".use";
}

std::string text_of(const std::optional<JournalUse::Subscription>& subscription) {
    if (!subscription) return std::string(kPublishes);
    return std::string(subscription->to_file ? kSubscribesToFile : kSubscribes) + subscription->filter;
}

// As one says it of a journal.
std::string told(const std::string& use) {
    if (use == kPublishes) return "a publisher's, with messages that only `dunlin pub` sends";
    const bool to_file = use.starts_with(kSubscribesToFile);
    const std::size_t verb = to_file ? kSubscribesToFile.size() : kSubscribes.size();
    return "for the subscription '" + use.substr(std::min(use.size(), verb)) + (to_file ? "' with --file" : "' without --file") +
           ", for which publishers keep messages";
}

// Nothing: it was not noted yet, a loss of power took the text, or it cannot be read: then note() says so, if it cannot replace it.
std::optional<std::string> noted(const std::string& journal) {
    std::ifstream file(name_of(journal), std::ios::binary);
    std::ostringstream use;
    if (file) use << file.rdbuf();  // which throws nothing, other than an iterator
    return use.view().empty() ? std::nullopt : std::optional(use.str());
}

}  // namespace

JournalUse::JournalUse(std::string journal, const std::optional<Subscription>& subscription)
    : journal_(std::move(journal)), use_(text_of(subscription)) {}

void JournalUse::check(bool fresh) const {
    if (fresh) {
        std::error_code unusable;  // then it is compared, as any other
        std::filesystem::remove(name_of(journal_), unusable);
    }
    const std::optional<std::string> known = noted(journal_);
    if (!known || *known == use_) return;
    throw ToolError(kCannotStart, "the journal '" + journal_ + "' is " + told(*known) + ": use another journal.");
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
