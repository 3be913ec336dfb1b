#pragma once

#include "campaign.hpp"

#include <optional>
#include <string>
#include <vector>

namespace dunlin::sim {

// What ./run sim was asked for.
struct Arguments {
    CampaignPlan plan{};
    std::vector<std::string> scenarios{};  // play these stories instead
    bool json = false;
    bool bench = false;
    bool shrink = false;
    std::vector<std::string> without{};  // kinds of work to leave out
    std::string own_options{};           // as given, without the seeds; for replay()
};

// Reads the command line. A value: the process ends at once with this status; help or the error was printed.
[[nodiscard]] std::optional<int> read_arguments(int argc, char** argv, Arguments& arguments);

// The command that runs one world of the campaign again, or one that was shrunk to `plan`.
[[nodiscard]] std::string replay(const Arguments& arguments, std::uint64_t seed);
[[nodiscard]] std::string replay(const Arguments& arguments, const RunPlan& shrunk);

}  // namespace dunlin::sim
