#include <dunlin_sim/faults/fault_schedule.hpp>

#include <algorithm>
#include <charconv>

namespace dunlin::sim {
namespace {

// How faults of a kind are drawn. Between two of them passes `every_min` to `every_max` on average, as the seed decides;
// 0: there is one, from the beginning to the end of the run. It lasts up to `length_max`. A partition replaces the one
// before it.
struct Habit {
    FaultKind kind;
    Duration every_min, every_max;
    Duration length_max;
    std::uint64_t amount_min, amount_max;
};

constexpr Duration kWholeRun{};
constexpr std::array<Habit, kFaultKindCount> kHabits{{
    {FaultKind::delay, kWholeRun, kWholeRun, {}, 1'000, 10'000},        // us at most; at least a quarter of it
    {FaultKind::loss, kWholeRun, kWholeRun, {}, 1, 200'000},            // ppm of all datagrams
    {FaultKind::duplication, kWholeRun, kWholeRun, {}, 1'000, 50'000},  // ppm
    {FaultKind::reordering, kWholeRun, kWholeRun, {}, 1'000, 50'000},   // ppm
    {FaultKind::corruption, kWholeRun, kWholeRun, {}, 100, 5'000},      // ppm
    {FaultKind::thin_line, kWholeRun, kWholeRun, {}, 15'000, 165'000},  // bytes a second; the workload barely fits on the least
    {FaultKind::short_path, seconds{8}, seconds{40}, seconds{4}, 300,
     1'000},  // bytes of the longest datagram that passes, or that passes between two
    {FaultKind::clog, seconds{4}, seconds{30}, seconds{4}, 1'000, 500'000},  // us longer
    {FaultKind::isolation, seconds{10}, seconds{60}, seconds{4}, 0, 0},
    {FaultKind::one_way_cut, seconds{10}, seconds{60}, seconds{4}, 0, 0},
    {FaultKind::split, seconds{10}, seconds{60}, seconds{4}, 0, 0},
    {FaultKind::bridge, seconds{10}, seconds{60}, seconds{4}, 0, 0},
    {FaultKind::ring, seconds{10}, seconds{60}, seconds{4}, 0, 0},
    {FaultKind::old_datagrams, seconds{4}, seconds{30}, {}, 1, 64},  // datagrams
    {FaultKind::foreign_cluster, kWholeRun, kWholeRun, {}, 0, 0},
    {FaultKind::bare_append, kWholeRun, kWholeRun, {}, 1'000, 50'000},  // ppm of appends
    {FaultKind::leader_crash, seconds{8}, seconds{40}, seconds{4}, 0, 0},
    {FaultKind::crash, seconds{5}, seconds{40}, seconds{4}, 0, 0},
    {FaultKind::handler_crash, seconds{8}, seconds{40}, seconds{4}, 0, 0},
    {FaultKind::start_crash, seconds{10}, seconds{50}, seconds{2}, 0, 20'000},  // us after the start
    {FaultKind::power_cut, seconds{20}, seconds{60}, seconds{3}, 0, 0},
    {FaultKind::absence, seconds{20}, seconds{60}, seconds{30}, 0, 0},  // and some seconds more
    {FaultKind::pause, seconds{4}, seconds{30}, seconds{3}, 0, 0},
    {FaultKind::slow_process, seconds{8}, seconds{40}, seconds{4}, 1'000, 30'000},                  // us later
    {FaultKind::contested_election, seconds{6}, seconds{30}, milliseconds{1400}, 20'000, 300'000},  // us that a sync takes longer
    {FaultKind::shutdown, seconds{8}, seconds{40}, seconds{4}, 0, 1},                               // 1: whoever leads
    {FaultKind::rate_error, kWholeRun, kWholeRun, {}, 500, 999},                                    // ppm at most
    {FaultKind::rate_beyond, kWholeRun, kWholeRun, {}, 2'000, 10'000},                              // ppm
    {FaultKind::wrap_us, kWholeRun, kWholeRun, {}, 0, 0},
    {FaultKind::wrap_ms, kWholeRun, kWholeRun, {}, 0, 0},
    {FaultKind::wrap_sequence, kWholeRun, kWholeRun, {}, 1, 200},                         // messages before
    {FaultKind::lost_write, seconds{10}, seconds{50}, seconds{4}, 0, 1},                  // 1: of what follows the next checkpoint
    {FaultKind::torn_write, seconds{10}, seconds{50}, seconds{4}, 0, 1},                  // 1: of what follows the next effect under a key
    {FaultKind::rot_tail, seconds{10}, seconds{50}, seconds{4}, 0, ~std::uint64_t{0}},    // where
    {FaultKind::rot_middle, seconds{15}, seconds{60}, seconds{4}, 0, ~std::uint64_t{0}},  // where
    {FaultKind::slow_sync, seconds{8}, seconds{40}, seconds{4}, 1'000, 200'000},          // us longer
    {FaultKind::full_disk, seconds{15}, seconds{60}, seconds{3}, 0, 0},
    {FaultKind::wiped_disk, seconds{15}, seconds{60}, seconds{4}, 0, 1},           // 1: a voter's is formatted as a newcomer's
    {FaultKind::hung_leader, seconds{10}, seconds{60}, {}, 1'200'000, 6'000'000},  // us longer
    {FaultKind::membership, seconds{2}, seconds{20}, seconds{3}, 0, 2 * kMembershipRounds - 1},  // which round, and about whom
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kFaultKindCount; ++i) {
        if (index_of(kHabits[i].kind) != i) return false;
    }
    return true;
}
static_assert(in_order(), "every FaultKind has one row here, in the order of the enumerators");

constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;  // 2^64 divided by the golden ratio

Fault draw_one(const Habit& habit, std::uint32_t number, Instant at, Random& random) {
    Fault fault;
    fault.name = {habit.kind, number};
    fault.at = at;
    fault.one = random.next_u32();
    fault.other = random.next_u32();
    if (habit.length_max > Duration{}) fault.length = random.between(milliseconds{1}, habit.length_max);
    const std::uint64_t span = habit.amount_max - habit.amount_min;
    fault.amount = span == ~std::uint64_t{0} ? random.next_u64() : habit.amount_min + random.below(span + 1);
    return fault;
}

void draw_kind(const Habit& habit, const FaultPlan& plan, std::uint64_t seed, Duration time, std::vector<Fault>& faults) {
    Random random(seed ^ kSpread * (index_of(habit.kind) + 1));
    const bool lucky = random.below(2) == 0;
    Duration every = random.between(habit.every_min, habit.every_max);
    const Duration fixed = plan.every[index_of(habit.kind)];
    if (fixed > Duration{}) every = fixed;
    if (fixed == Duration{} && (!lucky || !plan.drawn[index_of(habit.kind)])) return;
    std::uint32_t number = 1;
    if (every == kWholeRun) return faults.push_back(draw_one(habit, number, Instant{}, random));
    Instant at = Instant{} + random.between(every / 8, every);
    while (at < Instant{} + time) {
        faults.push_back(draw_one(habit, number++, at, random));
        at += random.between(every / 2, every + every / 2);
    }
}

}  // namespace

std::string to_string(const FaultName& name) { return std::string(info(name.kind).name) + "." + std::to_string(name.number); }

std::optional<FaultName> fault_name(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto kind = fault_kind(text.substr(0, dot));
    FaultName name;
    const std::string_view digits = text.substr(dot + 1);
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), name.number);
    if (!kind || error != std::errc{} || rest != digits.data() + digits.size() || name.number == 0) return std::nullopt;
    name.kind = *kind;
    return name;
}

std::vector<Fault> fault_schedule(const FaultPlan& plan, std::uint64_t seed, Duration time) {
    std::vector<Fault> faults;
    for (const Habit& habit : kHabits) draw_kind(habit, plan, seed, time, faults);
    if (plan.only) std::erase_if(faults, [&](const Fault& fault) { return std::ranges::find(*plan.only, fault.name) == plan.only->end(); });
    std::ranges::stable_sort(faults, {}, &Fault::at);
    return faults;
}

}  // namespace dunlin::sim
