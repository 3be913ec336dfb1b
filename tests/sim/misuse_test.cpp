// A test that uses the simulator wrongly is told how.
#include <sim/small_cluster.hpp>

#include <gmock/gmock.h>

namespace dunlin::sim {
namespace {

using testing::HasSubstr;

template <class Call>
std::string complaint(Call call) {
    try {
        call();
    } catch (const Misuse& misuse) { return misuse.what(); }
    return "nothing";
}

TEST(Misuse, names_a_process_that_does_not_exist_or_does_not_run) {
    SmallCluster cluster(1, 1);
    EXPECT_THAT(complaint([&] { cluster.world.start(7); }), HasSubstr("process 7 is not of this world (there are 1)"));
    EXPECT_THAT(complaint([&] { cluster.world.crash(1); }), HasSubstr("process 1 is not of this world"));
    EXPECT_THAT(complaint([&] { static_cast<void>(cluster.world.node(0)); }), HasSubstr("process 0 does not run now"));
    EXPECT_THAT(complaint([&] { static_cast<void>(cluster.world.application(0)); }), HasSubstr("process 0 does not run now"));
    EXPECT_THAT(complaint([&] { cluster.world.touch(0); }), HasSubstr("process 0 does not run now"));
    cluster.world.start(0);
    EXPECT_THAT(complaint([&] { cluster.world.start(0); }), HasSubstr("process 0 runs already"));
    cluster.world.run_for(seconds{1});
    cluster.world.crash(0);
    EXPECT_THAT(complaint([&] { static_cast<void>(cluster.world.node(0)); }), HasSubstr("process 0 does not run now"));
    EXPECT_THAT(complaint([&] { cluster.world.network().cut(0, 64, true); }), HasSubstr("process 64"));
}

TEST(Misuse, says_what_a_process_lacks) {
    World world(1, 2);
    EXPECT_THAT(complaint([&] { world.add({}); }), HasSubstr("process 0 has no memory"));
    ProcessSetup setup{.options = {.id = NodeId{1}, .cluster = "c"}, .memory = holder_of<kSimMember>()};
    setup.seeds = {5};
    world.add(setup);
    EXPECT_THAT(complaint([&] { world.start(0); }), HasSubstr("process 5 is not of this world"));
    setup.seeds = {};
    setup.options.heartbeat_interval = Duration{};
    world.add(setup);
    EXPECT_THAT(complaint([&] { world.start(1); }), HasSubstr("process 1 cannot start: invalid_argument"));
    EXPECT_FALSE(world.running(1));
    EXPECT_THAT(complaint([&] { world.add(setup); }), HasSubstr("process 2 is one more than World's processes_max"));
    EXPECT_THAT(complaint([&] { world.format_member(0); }), HasSubstr("process 0 has a disk that cannot be formatted"));
}

TEST(MisuseDeathTest, a_failed_assertion_in_a_node_says_where) {
    SmallCluster cluster(1, 1);
    cluster.world.start(0);
    EXPECT_DEATH(static_cast<void>(cluster.world.node(0).start(Instant{})), "assertion failed: node.cpp:[0-9]+: ");
}

}  // namespace
}  // namespace dunlin::sim
