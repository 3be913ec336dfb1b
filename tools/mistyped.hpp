#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace dunlin_tool {

// After a command line was refused: where a word stands in place of a subcommand, a sentence that names the one that was likely
// meant, or all there are.
[[nodiscard]] std::optional<std::string> about_mistyped_subcommand(const CLI::App& app);

}  // namespace dunlin_tool
