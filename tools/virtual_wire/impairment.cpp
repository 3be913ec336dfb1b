#include "impairment.hpp"

#include <dunlin/core/assert.hpp>
#include <dunlin/core/random.hpp>

namespace dunlin_wire {
namespace {

bool happens(dunlin::Random& random, std::uint32_t ppm) { return random.below(ImpairmentSettings::kWhole) < ppm; }

}  // namespace

Impairment::Impairment(std::size_t ports, std::uint64_t seed) : ports_(ports), seeds_(ports * ports) {
    dunlin::Random random(seed);
    for (std::uint64_t& each : seeds_) each = random.next_u64();
}

Fate Impairment::next(PortIndex from, PortIndex to) {
    DUNLIN_ASSERT(from.value() < ports_ && to.value() < ports_);
    dunlin::Random random(seeds_[from.value() * ports_ + to.value()]++);
    // All are drawn, whatever is set: raising one share changes nothing about the others.
    Fate fate;
    fate.lost = happens(random, settings.loss_ppm);
    fate.twice = happens(random, settings.duplicate_ppm);
    fate.delay = random.between(settings.delay_min, settings.delay_max);
    fate.second_delay = random.between(settings.delay_min, settings.delay_max);
    return fate;
}

}  // namespace dunlin_wire
