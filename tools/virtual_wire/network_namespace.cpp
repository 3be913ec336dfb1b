#include "network_namespace.hpp"

#include "tool_error.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <string>

namespace dunlin_wire {
namespace {

using dunlin_tool::kCannotStart;
using dunlin_tool::ToolError;

void write_file(const std::string& path, const std::string& text) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const bool written = descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!written) throw ToolError(kCannotStart, "cannot write '" + path + "': " + std::strerror(error) + ".");
}

// One id stands for itself; the kernel allows no more without privilege, and that only where groups cannot be dropped.
void map_id(const std::string& path, unsigned id) { write_file(path, std::to_string(id) + " " + std::to_string(id) + " 1"); }

}  // namespace

void enter_own_network() {
    if (::unshare(CLONE_NEWNET) == 0) return;
    const int first_error = errno;
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (first_error != EPERM || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        throw ToolError(kCannotStart,
                        std::string("cannot make a network namespace, for which one must be root or may make user namespaces: ") +
                            std::strerror(errno) + ".");
    }
    write_file("/proc/self/setgroups", "deny");
    map_id("/proc/self/uid_map", user);
    map_id("/proc/self/gid_map", group);
}

}  // namespace dunlin_wire
