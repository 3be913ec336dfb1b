// Voters as small as the preset `voter_min`: 512 bytes of log, 512 bytes of journal buffer, 32 entries, and a disk that is
// compacted every few seconds.
#include <sim/small_cluster.hpp>

#include <dunlin/node/presets.hpp>

#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

constexpr std::size_t kDisk = journal_device_bytes_min<limits::voter_min>();

class SmallVoters {
  public:
    explicit SmallVoters(std::uint64_t seed) : cluster(seed, 3, voter_kind<limits::voter_min>(kDisk)), member(cluster.add(0, {})) {
        cluster.world.start_all();
    }

    World& world() { return cluster.world; }
    [[nodiscard]] StatusReport status(std::size_t i) { return world().node(i).status(world().local_now(i)); }
    // Puts values of 1 to 32 bytes, one every `pause`, for as long.
    void put_for(Duration time, Duration pause) {
        for (const Instant end = world().now() + time; world().now() < end; world().run_for(pause)) {
            const std::string key = std::string(1 + world().workload().below(20), 'k') + std::to_string(world().workload().below(2));
            const std::string value(1 + world().workload().below(32), 'v');
            static_cast<void>(world().node(member).put(world().local_now(member), key, bytes_of(value)));
            world().touch(member);
        }
    }
    [[nodiscard]] std::uint32_t total(Counter counter) {
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < 3; ++i) sum += world().running(i) ? world().node(i).counters().get(counter) : 0;
        return sum;
    }
    [[nodiscard]] bool any_failed() {
        for (std::size_t i = 0; i < 3; ++i) {
            if (world().running(i) && (status(i).state == RunState::failed || status(i).replica != Status::ok)) return true;
        }
        return false;
    }
    // All three hold the same, and something new can still be committed.
    [[nodiscard]] bool converged() {
        const std::size_t leader = cluster.leader();
        if (leader >= 3) return false;
        const StatusReport first = status(0);
        for (std::size_t i = 1; i < 3; ++i) {
            if (status(i).applied != first.applied || status(i).state_hash != first.state_hash) return false;
        }
        return status(leader).applied == status(leader).last_index;
    }

    SmallCluster cluster;
    std::size_t member;
};

TEST(SmallVoter, reads_its_own_journal_again_however_often_it_is_killed) {
    std::uint32_t images = 0;
    std::uint32_t compactions = 0;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        SmallVoters voters(seed);
        voters.world().network().faults.loss_ppm = seed % 3 == 0 ? 50'000 : 0;
        voters.world().run_for(seconds{2});
        for (int kill = 0; kill < 20; ++kill) {
            const std::size_t victim = voters.world().workload().below(3);
            voters.put_for(milliseconds{500}, milliseconds{5});
            voters.world().pause(victim);
            voters.put_for(milliseconds{100}, milliseconds{5});  // some appends' worth to catch up with
            voters.world().resume(victim);
            voters.world().run_for(milliseconds{20});
            images += voters.world().node(victim).counters().get(Counter::snapshots_installed);
            compactions += voters.world().node(victim).counters().get(Counter::journal_compactions);
            voters.world().crash(victim);
            voters.put_for(kill % 4 == 0 ? milliseconds{1500} : milliseconds{100}, milliseconds{5});
            voters.world().restart(victim);
            ASSERT_FALSE(voters.any_failed());
        }
        ASSERT_TRUE(voters.world().run_until([&] { return voters.converged(); }, seconds{30}));
        ASSERT_FALSE(voters.any_failed());
    }
    EXPECT_GT(images, 20U);
    EXPECT_GT(compactions, 20U);
}

}  // namespace
}  // namespace dunlin::sim
