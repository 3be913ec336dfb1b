#include <dunlin_sim/workload/workload_plan.hpp>

#include <dunlin/core/random.hpp>

#include <algorithm>

namespace dunlin::sim {
namespace {

constexpr std::uint64_t kStream = 0x776f726b6c6f6164U;  // of the generator that draws, apart from all others of the seed

std::uint32_t up_to(Random& random, std::uint32_t most) { return static_cast<std::uint32_t>(random.below(std::uint64_t{most} + 1)); }

bool one_in(Random& random, std::uint64_t count) { return random.below(count) == 0; }

VerdictMix draw_verdicts(Random& random) {
    VerdictMix mix;
    mix.reject = up_to(random, 12);
    mix.retry = up_to(random, 10);
    if (one_in(random, 3)) {  // patience is for few: each takes seconds, and what waits behind it as long
        mix.retry = 1;
        mix.retries_max = 14;
    }
    // Long or often: with both, what waits behind a pending message would grow for ever.
    const bool longer = one_in(random, 2);
    mix.pending = up_to(random, longer ? 3 : 15);
    mix.pending_max = random.between(milliseconds{1}, longer ? seconds{2} : milliseconds{200});
    return mix;
}

}  // namespace

WorkloadPlan draw_workload(std::uint64_t seed) {
    Random random(seed ^ kStream);
    WorkloadPlan plan;
    plan.publish_every = random.between(milliseconds{50}, milliseconds{400});
    if (one_in(random, 3)) plan.burst = 2 + up_to(random, 14);
    plan.publish_every *= plan.burst > 1 ? std::int64_t{plan.burst} / 2 : 1;
    plan.payload_bytes = one_in(random, 3) ? 64 + random.below(900) : 32 + random.below(64);
    plan.limited_percent = up_to(random, 25);
    plan.lifetime = random.between(milliseconds{20}, milliseconds{800});
    if (one_in(random, 2)) plan.echo_percent = up_to(random, 10);
    plan.overlap = !one_in(random, 3);
    if (one_in(random, 2)) plan.churn_every = random.between(milliseconds{500}, seconds{8});
    plan.positions = !one_in(random, 3);
    plan.verdicts = draw_verdicts(random);
    plan.lease_ttl = random.between(milliseconds{500}, seconds{3});
    plan.lease_hold_max = random.between(milliseconds{500}, seconds{4});
    plan.contenders = 1 + random.below(3);
    plan.shared_keys.keys = 1 + up_to(random, 3);
    plan.shared_keys.every = random.between(milliseconds{20}, milliseconds{500});
    if (one_in(random, 2)) plan.room = Room::scarce;
    plan.second_lease = one_in(random, 2);
    plan.late = one_in(random, 3);
    if (one_in(random, 2)) plan.topics = 2 + up_to(random, 1);
    if (one_in(random, 2)) plan.more_voters = 1 + up_to(random, 1);
    if (one_in(random, 4)) {  // so many at a time that they wait for the budget, and so few a second that it pays for them
        plan.verdicts.retry = 60;
        plan.verdicts.retries_max = 1;
        plan.publish_every = milliseconds{500};
        plan.burst = 8 + up_to(random, 8);
        plan.publish_every *= plan.burst / 2;
    }
    if (one_in(random, 2)) plan.packet_bytes_max = plan.voter_packet_bytes_max = static_cast<std::uint16_t>(1200 + up_to(random, 272));
    if (one_in(random, 3)) {  // some are wanted later once too often
        plan.attempts_max = static_cast<std::uint8_t>(2 + up_to(random, 8));
        if (plan.verdicts.retry <= 10) {
            plan.verdicts.retry = std::min<std::uint32_t>(plan.verdicts.retry, 2) + 1;
            plan.verdicts.retries_max = std::uint32_t{plan.attempts_max} + 2;
        }
    }
    plan.resends.every = random.between(milliseconds{200}, milliseconds{1500});
    plan.resends.lifetime = random.between(milliseconds{300}, seconds{5});
    if (one_in(random, 3)) {
        plan.long_percent = 5 + up_to(random, 20);
        plan.long_bytes = 1000 + random.below(5000);
        plan.packet_bytes_max = static_cast<std::uint16_t>(576 + 4 * random.below(225));
    }
    plan.lanes = !one_in(random, 4);
    plan.mostly_urgent = one_in(random, 4);
    plan.resends.prolonged = one_in(random, 2);
    plan.ranks = one_in(random, 3);
    return plan;
}

}  // namespace dunlin::sim
