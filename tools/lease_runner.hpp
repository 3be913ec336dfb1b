#pragma once

#include "exit_code.hpp"
#include "member_options.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace dunlin_tool {

// What `dunlin lease acquire` and `dunlin elect` are told: NAME, COMMAND and their options. Both are a member node of their own.
struct LeaseArguments {
    MemberOptions member;
    std::string name;
    std::string ttl = "5s";
    std::string wait;  // empty: for ever
    std::vector<std::string> command;

    void add_to(CLI::App& app);
};

// For the help of both.
inline constexpr const char* kAboutLeasedCommand =
    "COMMAND finds the lease's name and fencing token in DUNLIN_LEASE_NAME and DUNLIN_LEASE_TOKEN, and runs in a process group of its\n"
    "own. When half of the lease's validity has gone without a renewal, the group gets SIGTERM; before validity ends, SIGKILL; it\n"
    "never outlives dunlin. SIGTERM to dunlin is passed on (SIGINT too, as SIGTERM), and the lease is kept until COMMAND has ended;\n"
    "another one, a second or more later, kills it. SIGHUP, SIGUSR1 and SIGUSR2 are passed on as they are.\n"
    "What it waits for, it says after three seconds.\n";

// What becomes of a process whose command had to end because of its lease.
enum class AfterLoss {
    end,          // it ends too, and its status says so
    stand_again,  // it gives the lease back, wants it anew, and then runs the command again under another token
};

// Runs the command only while its lease is held, in a LeasedProcess: SIGTERM once the lease is in jeopardy, SIGKILL before its validity
// ends. Where the command ends by itself, or a signal came, the lease is released and this returns: the command's status, or one of
// those that ExitCode names. Throws ToolError(kUsage): arguments that cannot be.
[[nodiscard]] ExitCode run_while_held(const LeaseArguments& arguments, AfterLoss after_loss);

}  // namespace dunlin_tool
