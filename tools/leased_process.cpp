#include "leased_process.hpp"

#include "tool_error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace dunlin_tool {
namespace {

// What the guard is told. One write, smaller than PIPE_BUF, so that it arrives whole.
struct Order {
    std::int64_t deadline_us;
    std::int64_t group;  // 0: there is nothing to guard
};

constexpr int kCannotRun = 126;
constexpr int kNoSuchCommand = 127;

void arm(int timer, std::int64_t deadline_us) {
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(deadline_us / 1'000'000);
    when.it_value.tv_nsec = static_cast<long>(deadline_us % 1'000'000 * 1000);
    ::timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, nullptr);
}

void kill_group(std::int64_t group) {
    if (group > 0) ::kill(static_cast<pid_t>(-group), SIGKILL);
}

// Runs in the guard, in a session of its own, out of reach of the terminal. System calls only.
[[noreturn]] void stand_guard(int orders) {
    ::setsid();
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::signal(signal, SIG_IGN);
    const int timer = ::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
    Order order{};
    for (;;) {
        std::array<pollfd, 2> waiting{{{.fd = orders, .events = POLLIN, .revents = 0}, {.fd = timer, .events = POLLIN, .revents = 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
        if (waiting[1].revents != 0) {
            kill_group(order.group);
            std::uint64_t expirations = 0;
            if (::read(timer, &expirations, sizeof expirations) < 0) ::_exit(1);
        }
        if (waiting[0].revents == 0) continue;
        const ssize_t count = ::read(orders, &order, sizeof order);
        if (count == static_cast<ssize_t>(sizeof order)) {
            arm(timer, order.group == 0 ? 0 : order.deadline_us);
        } else if (count >= 0 || errno != EINTR) {
            kill_group(order.group);
            ::_exit(0);
        }
    }
}

struct Pipe {
    int read = -1;
    int write = -1;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw ToolError(kCannotStart, std::string("cannot make a pipe: ") + std::strerror(errno) + ".");
    return {ends[0], ends[1]};
}

// Runs in the child. `go` gives one byte when the guard knows of it, or ends when the parent is gone.
[[noreturn]] void become(const std::vector<char*>& arguments, const Pipe& go, pid_t parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(go.write);
    char byte = 0;
    if (::getppid() != parent || ::read(go.read, &byte, 1) != 1) ::_exit(kCannotRun);
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none{};
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execvp(arguments.front(), arguments.data());
    const int code = errno == ENOENT ? kNoSuchCommand : kCannotRun;
    static constexpr char kSentence[] = "dunlin: the command cannot be run.\n";
    static_cast<void>(!::write(STDERR_FILENO, kSentence, sizeof kSentence - 1));
    ::_exit(code);
}

}  // namespace

LeasedProcess::LeasedProcess() {
    const Pipe orders = make_pipe();
    guard_ = ::fork();
    if (guard_ < 0) throw ToolError(kCannotStart, std::string("cannot fork: ") + std::strerror(errno) + ".");
    if (guard_ == 0) {
        ::close(orders.write);
        stand_guard(orders.read);
    }
    ::close(orders.read);
    orders_ = orders.write;
}

LeasedProcess::~LeasedProcess() {
    kill_group(group_);
    ::close(orders_);
    ::waitpid(guard_, nullptr, 0);
}

void LeasedProcess::start(const std::vector<std::string>& command, const std::vector<std::pair<std::string, std::string>>& environment,
                          dunlin::Instant deadline) {
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    const Pipe go = make_pipe();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) become(arguments, go, parent);
    const int error = errno;
    ::close(go.read);
    if (child < 0) throw ToolError(kFailed, std::string("cannot fork: ") + std::strerror(error) + ".");
    ::setpgid(child, child);  // the child does so too: whoever comes first
    group_ = child;
    tell_guard(group_, deadline);
    static_cast<void>(!::write(go.write, "g", 1));
    ::close(go.write);
}

void LeasedProcess::set_deadline(dunlin::Instant deadline) {
    if (running()) tell_guard(group_, deadline);
}

void LeasedProcess::send(int signal) const {
    if (running()) ::kill(-group_, signal);
}

std::optional<int> LeasedProcess::take_end() {
    if (!running()) return std::nullopt;
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(group_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return std::nullopt;
    // The dead command keeps its number, and so the group its own, until it is reaped.
    kill_group(group_);
    tell_guard(0, dunlin::Instant{});
    int status = 0;
    ::waitpid(group_, &status, 0);
    group_ = 0;
    return status;
}

bool LeasedProcess::guarded() {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(guard_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void LeasedProcess::tell_guard(pid_t group, dunlin::Instant deadline) {
    const Order order{dunlin::to_us(deadline.time_since_epoch()), group};
    static_cast<void>(!::write(orders_, &order, sizeof order));  // a guard that is gone is noticed by guarded()
}

int status_of_end(int wait_status) { return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : ended_by_signal(WTERMSIG(wait_status)); }

}  // namespace dunlin_tool
