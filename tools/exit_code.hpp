#pragma once

namespace dunlin_tool {

// What the dunlin command says to its caller; --help prints the same list. A leased command's own status is passed on.
enum ExitCode : int {
    kDone = 0,
    kFailed = 1,           // it ran, and what was asked for did not come about: a dead letter, a refused request, a broken journal
    kUsage = 2,            // command line or configuration
    kCannotStart = 3,      // a port in use, a journal that cannot be used, no node at the socket
    kNoSuchKey = 4,        // dunlin key get
    kStoppedInTime = 120,  // dunlin lease, elect: the command ended after SIGTERM, sent because the lease was in jeopardy
    kKilled = 121,         // dunlin lease, elect: the command was ended by SIGKILL before validity ended
    kNotAcquired = 122,    // dunlin lease, elect: --wait passed without the lease
};

// 128 + N: signal N ended the leased command, or dunlin itself before it had what was asked for. As a shell gives it.
constexpr ExitCode ended_by_signal(int signal) { return static_cast<ExitCode>(128 + signal); }

}  // namespace dunlin_tool
