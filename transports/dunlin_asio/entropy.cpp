#include <dunlin_asio/entropy.hpp>

#include <dunlin/core/assert.hpp>

#include <sys/random.h>
#include <cerrno>

namespace dunlin_asio {

std::uint64_t random_nonzero_u64() {
    std::uint64_t value = 0;
    while (value == 0) {
        const ssize_t got = ::getrandom(&value, sizeof value, 0);  // below 256 bytes it is never cut short (getrandom(2))
        if (got == static_cast<ssize_t>(sizeof value)) continue;
        DUNLIN_ASSERT(errno == EINTR);
        value = 0;
    }
    return value;
}

}  // namespace dunlin_asio
