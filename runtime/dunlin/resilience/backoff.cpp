#include <dunlin/core/assert.hpp>
#include <dunlin/resilience/backoff.hpp>

namespace dunlin::resilience {

Duration backoff_pause(Random& random, Duration base, Duration max, std::uint32_t attempt) {
    DUNLIN_ASSERT(base.count() > 0 && max >= base);
    Duration ceiling = base;
    for (std::uint32_t i = 0; i < attempt && ceiling < max; ++i) ceiling = ceiling > max - ceiling ? max : ceiling + ceiling;
    return random.between(Duration{0}, ceiling);
}

}  // namespace dunlin::resilience
