#pragma once

#include <dunlin/core/time.hpp>

#include <sys/types.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dunlin_tool {

// A command in a process group of its own that cannot outlive its deadline, nor this process. A second process, forked
// before anything else, stands guard over it: it kills the group when the deadline passes, even while this process is
// stopped, and when this process is gone, however it ended. (A machine that sleeps stops them all: after that only the lease's
// token protects.)
class LeasedProcess {
  public:
    // Forks the guard: call it before any thread or descriptor that a fork should not copy. Throws ToolError.
    LeasedProcess();
    LeasedProcess(const LeasedProcess&) = delete;
    LeasedProcess& operator=(const LeasedProcess&) = delete;
    ~LeasedProcess();  // kills the group

    // Starts `command` (looked up in PATH) with these variables added to its environment, while none runs. Throws ToolError: cannot
    // fork. Where the command cannot be run it exits 126 or 127, as in a shell.
    void start(const std::vector<std::string>& command, const std::vector<std::pair<std::string, std::string>>& environment,
               dunlin::Instant deadline);
    [[nodiscard]] bool running() const { return group_ != 0; }
    // The group must be gone by then, on CLOCK_BOOTTIME; kNever: it has all the time it wants.
    void set_deadline(dunlin::Instant deadline);
    void send(int signal) const;  // to the whole group
    // The command's wait status once it has ended; whatever else is left of its group is killed then.
    [[nodiscard]] std::optional<int> take_end();
    // The guard is there. Where it is not, nobody would stop the command in time.
    [[nodiscard]] bool guarded();

  private:
    void tell_guard(pid_t group, dunlin::Instant deadline);

    pid_t guard_ = 0;
    int orders_ = -1;  // to the guard
    pid_t group_ = 0;
};

// What a shell would say of a command that ended with this wait status: its exit code, or 128 + the signal that ended it.
[[nodiscard]] int status_of_end(int wait_status);

}  // namespace dunlin_tool
