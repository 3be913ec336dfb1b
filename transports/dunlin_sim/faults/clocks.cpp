#include <dunlin_sim/faults/clocks.hpp>

#include <chrono>

namespace dunlin::sim {

Clocks::Clocks(std::uint64_t seed, std::size_t processes, Duration time, std::span<const Fault> schedule)
    : random_(seed ^ 0x636c6f636b73U), processes_(processes), time_(time) {
    for (const Fault& fault : schedule) {
        if (info(fault.name.kind).group == "clock") faults_.push_back(fault);
        beyond_ = beyond_ || fault.name.kind == FaultKind::rate_beyond;
    }
}

void Clocks::set(ProcessSetup& setup) {
    setup.clock_rate_ppm = static_cast<std::int64_t>(random_.below(41)) - 20;
    setup.clock_offset = random_.between(Duration{0}, std::chrono::hours{1});
    for (const Fault& fault : faults_) apply(fault, setup);
    ++next_;
}

// Of a fault that concerns some of the clocks, the bits of `other` say which, and process `one` is always among them.
void Clocks::apply(const Fault& fault, ProcessSetup& setup) {
    const bool one = fault.one % processes_ == next_;
    const bool some = one || ((fault.other >> next_) & 1U) != 0;
    const auto ppm = static_cast<std::int64_t>(fault.amount);
    // Soon enough that every wrap happens in the first half of the run; drawn also where it does not count, so that the rest stays.
    const Duration before = random_.between(Duration{0}, time_ / 2);
    switch (fault.name.kind) {
        case FaultKind::rate_error:  // at the edges: there the error between two clocks is the largest
            setup.clock_rate_ppm = some ? ppm : -ppm;
            return count(fault);
        case FaultKind::rate_beyond:
            if (!one) return;
            setup.clock_rate_ppm = (fault.other >> 31U) != 0 ? ppm : -ppm;
            return count(fault);
        case FaultKind::wrap_us:
            if (!some) return;
            setup.clock_offset = Duration{std::int64_t{1} << 32U} - before;
            return count(fault);
        case FaultKind::wrap_ms:
            if (!one) return;
            setup.clock_offset = milliseconds{std::int64_t{1} << 32U} - before;
            return count(fault);
        default: return;
    }
}

}  // namespace dunlin::sim
