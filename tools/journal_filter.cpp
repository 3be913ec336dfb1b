#include "journal_filter.hpp"

#include "tool_error.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace dunlin_tool {
namespace {

std::string name_of(const std::string& journal) { return journal + ".filter"; }

}  // namespace

void forget_filter_of_missing(const std::string& journal) {
    if (!std::filesystem::exists(journal)) std::filesystem::remove(name_of(journal));
}

void claim_for_filter(const std::string& journal, std::string_view filter) {
    const std::string name = name_of(journal);
    if (std::ifstream file(name); file) {
        const std::string known{std::istreambuf_iterator<char>(file), {}};
        if (known == filter) return;
        throw ToolError(kCannotStart, "the journal '" + journal + "' is for the subscription '" + known +
                                          "', for which publishers keep messages: use another journal.");
    }
    if (filter.empty()) return;
    const std::string fresh = name + ".new";
    std::ofstream file(fresh, std::ios::trunc);
    file << filter << std::flush;
    if (!file) throw ToolError(kCannotStart, "cannot write '" + fresh + "'.");
    std::filesystem::rename(fresh, name);
}

}  // namespace dunlin_tool
