#include "mistyped.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <vector>

namespace dunlin_tool {
namespace {

constexpr std::size_t kSlipsMax = 2;

// Levenshtein's distance: how many letters were added, left out or exchanged.
std::size_t slips(std::string_view typed, std::string_view meant) {
    std::vector<std::size_t> row(meant.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < typed.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < meant.size(); ++j) {
            const std::size_t exchanged = diagonal + (typed[i] == meant[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({exchanged, diagonal + 1, row[j] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::optional<std::string> about_mistyped_subcommand(const CLI::App& app) {
    const CLI::App* command = &app;
    while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
    const std::vector<std::string> rest = command->remaining();
    if (command->get_require_subcommand_min() == 0 || rest.empty() || rest.front().starts_with('-')) return std::nullopt;
    std::vector<std::string> names;
    for (const CLI::App* each : command->get_subcommands([](const CLI::App*) { return true; })) names.push_back(each->get_name());
    const std::string& typed = rest.front();
    const auto nearest = std::ranges::min_element(names, {}, [&typed](const std::string& name) { return slips(typed, name); });
    const std::string no = "no subcommand '" + typed + "' of `" + command->get_name() + "`: ";
    if (slips(typed, *nearest) <= kSlipsMax) return no + "did you mean '" + *nearest + "'? See --help.";
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    return no + "there are " + all + ".";
}

}  // namespace dunlin_tool
