#pragma once

#include "voter_entry.hpp"

#include <dunlin/node/formatter.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

namespace dunlin_tool {

// The options that init and join share: whose journal is made, and where it will be reached.
struct FormatArguments {
    std::uint16_t id = 0;
    std::string cluster = "dunlin";
    std::string journal;
    std::string address;

    void add_to(CLI::App& command);
    // Throws ToolError(kUsage).
    void check() const;
    // With fresh random numbers. Its texts are those of this object.
    [[nodiscard]] dunlin::FormatPlan plan() const;
    [[nodiscard]] VoterEntry entry(const dunlin::FormatPlan& plan) const;
};

}  // namespace dunlin_tool
