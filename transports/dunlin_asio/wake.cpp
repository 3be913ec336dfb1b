#include <dunlin_asio/wake.hpp>

#include <dunlin_asio/host_error.hpp>

#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>

namespace dunlin_asio {
namespace {

int open_event() {
    const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (descriptor < 0) throw HostError("cannot make an event descriptor", errno);
    return descriptor;
}

}  // namespace

Wake::Wake(asio::io_context& io)
    : descriptor_(io, open_event()), native_(descriptor_.native_handle()), wait_([this] { drain_and_wait(); }) {
    wait_.arm(descriptor_, asio::posix::stream_descriptor::wait_read);
}

void Wake::wake() {
    // What the caller did before is seen by the loop after it has set called_ back: release here, acquire there.
    if (called_.exchange(true, std::memory_order_acq_rel)) return;
    const int saved = errno;  // a signal handler must leave errno as it was
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(native_, &one, sizeof one);  // full (EAGAIN) means awake already
    errno = saved;
}

bool Wake::take() {
    const bool woken = woken_;
    woken_ = false;
    return woken;
}

void Wake::drain_and_wait() {
    std::uint64_t count = 0;
    if (::read(native_, &count, sizeof count) > 0) woken_ = true;
    called_.exchange(false, std::memory_order_acq_rel);  // before the loop looks at what it was woken for
    wait_.arm(descriptor_, asio::posix::stream_descriptor::wait_read);
}

}  // namespace dunlin_asio
