#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dunlin::consensus::test {

// A story in a file (scripts/), read side by side: a step on the left, what it printed on the right of a bar, one line each.
//
//     # Comments say why. The first step says who is there: voters N [nodes N] [ring N]
//     voters 3                            | 1 follower t1 log 1 commit 0
//                                         | 2 follower t1 log - commit 0
//
// What is printed: an answer where the step has one, then the state of each node that the step changed (script_cluster.hpp).
struct ScriptLine {
    std::string text;                // as written, for comments and blank lines
    std::vector<std::string> words;  // of the step, if it is one
};

[[nodiscard]] std::vector<ScriptLine> read_script(const std::filesystem::path& path);

// Runs it; the whole file as it ought to be. Equal to what is there exactly where every step did what the file says.
[[nodiscard]] std::string play(const std::vector<ScriptLine>& script);

}  // namespace dunlin::consensus::test
