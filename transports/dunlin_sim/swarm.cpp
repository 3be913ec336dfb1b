#include <dunlin_sim/swarm.hpp>

#include <array>
#include <utility>

namespace dunlin::sim {
namespace {

constexpr std::uint64_t kStream = 0x737761726dU;  // of the generator that draws, apart from all others of the seed

std::uint32_t rate(Random& random, std::uint32_t ppm_max) {
    const bool on = random.below(2) == 0;
    const auto ppm = static_cast<std::uint32_t>(random.below(ppm_max) + 1);
    return on ? ppm : 0;
}

// Between what the workload barely fits on and ten times that.
std::uint32_t line_rate(Random& random) {
    const bool on = random.below(2) == 0;
    const auto bytes_per_s = static_cast<std::uint32_t>(15'000 + random.below(150'000));
    return on ? bytes_per_s : 0;
}

Duration pause_between(Random& random, Duration shortest, Duration longest) {
    const bool on = random.below(2) == 0;
    const Duration every = random.between(shortest, longest);
    return on ? every : Duration{0};
}

template <class Value>
void set(Value& value, Value drawn) {
    if (value == Value{}) value = drawn;
}

}  // namespace

std::optional<std::uint32_t> fault_kind(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::uint32_t>, 7> kNames{{{"none", kNoFaults},
                                                                                {"all", kAllFaults},
                                                                                {"network", kNetworkFaults},
                                                                                {"crash", kCrashFaults},
                                                                                {"pause", kPauseFaults},
                                                                                {"partition", kPartitionFaults},
                                                                                {"slow", kSlowFaults}}};
    for (const auto& [known, kind] : kNames) {
        if (known == name) return kind;
    }
    return std::nullopt;
}

void draw_faults(RunPlan& plan, std::uint32_t kinds) {
    Random random(plan.seed ^ kStream);
    if ((kinds & kNetworkFaults) != 0) {
        set(plan.network.loss_ppm, rate(random, 200'000));
        set(plan.network.duplicate_ppm, rate(random, 50'000));
        set(plan.network.late_ppm, rate(random, 50'000));
        set(plan.network.corrupt_ppm, rate(random, 5'000));
        set(plan.network.bytes_per_s, line_rate(random));
        set(plan.faults.short_path_every, pause_between(random, seconds{8}, seconds{40}));
    }
    if ((kinds & kCrashFaults) != 0) {
        set(plan.faults.leader_crash_every, pause_between(random, seconds{8}, seconds{40}));
        set(plan.faults.crash_every, pause_between(random, seconds{5}, seconds{40}));
        set(plan.faults.handler_crash_every, pause_between(random, seconds{8}, seconds{40}));
    }
    if ((kinds & kPauseFaults) != 0) set(plan.faults.pause_every, pause_between(random, seconds{4}, seconds{30}));
    if ((kinds & kPartitionFaults) != 0) set(plan.faults.partition_every, pause_between(random, seconds{4}, seconds{30}));
    if ((kinds & kSlowFaults) != 0) {
        set(plan.faults.clog_every, pause_between(random, seconds{4}, seconds{30}));
        set(plan.faults.slow_every, pause_between(random, seconds{4}, seconds{30}));
    }
}

}  // namespace dunlin::sim
