#pragma once

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
//
//     timeout N                  N's next deadline has come
//     wait N... TIMEms           their clocks go on, and what falls due is done;  sleep N... TIMEms: they go on alone
//     deliver [A>B[xCOUNT]...]   what waits on these ways; alone: all, until nobody says anything more
//     drop [A>B...]              what waits there is lost
//     packets [A>B...]           says what waits
//     cut N, heal N              nothing leaves or reaches it
//     crash N, restart N         what was not synced is lost
//     disk N stops|goes          nothing more is written or synced there; else all is at once
//     propose N [COUNT [BYTES]]  read N   transfer N [TO]   change N add|promote|demote|remove MEMBER
struct ScriptLine {
    std::string text;                // as written, for comments and blank lines
    std::vector<std::string> words;  // of the step, if it is one
};

[[nodiscard]] std::vector<ScriptLine> read_script(const std::string& path);

// Runs it; the whole file as it ought to be. Equal to what is there exactly where every step did what the file says.
[[nodiscard]] std::string play(const std::vector<ScriptLine>& script);

}  // namespace dunlin::consensus::test
