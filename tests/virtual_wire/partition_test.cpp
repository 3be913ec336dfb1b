#include <partition.hpp>

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace dunlin_wire {
namespace {

constexpr PortIndex kA{0};
constexpr PortIndex kB{1};
constexpr PortIndex kC{2};
constexpr PortIndex kD{3};

using Groups = std::array<std::vector<PortIndex>, 2>;

TEST(Partition, ports_of_different_groups_do_not_reach_each_other_and_one_in_none_reaches_all) {
    Partition partition(4);
    EXPECT_TRUE(partition.connected(kA, kB));
    partition.split(Groups{{{kA}, {kB, kC}}});
    for (const PortIndex other : {kB, kC}) {
        EXPECT_FALSE(partition.connected(kA, other));
        EXPECT_FALSE(partition.connected(other, kA));
    }
    EXPECT_TRUE(partition.connected(kB, kC));
    for (const PortIndex other : {kA, kB, kC}) EXPECT_TRUE(partition.connected(kD, other) && partition.connected(other, kD));
}

TEST(Partition, another_one_replaces_the_one_before) {
    Partition partition(4);
    partition.split(Groups{{{kA}, {kB, kC}}});
    partition.split(Groups{{{kC}, {kB}}});
    EXPECT_TRUE(partition.connected(kA, kB));
    EXPECT_FALSE(partition.connected(kB, kC));
}

TEST(Partition, an_isolated_port_reaches_nobody_until_it_joins) {
    Partition partition(4);
    partition.isolate(kA);
    EXPECT_FALSE(partition.connected(kA, kD) || partition.connected(kD, kA));
    EXPECT_TRUE(partition.connected(kB, kD));
    EXPECT_TRUE(partition.join(kA));
    EXPECT_TRUE(partition.connected(kA, kD));
    EXPECT_FALSE(partition.join(kA));
}

TEST(Partition, joining_ends_no_partition_and_healing_ends_all) {
    Partition partition(4);
    partition.split(Groups{{{kA}, {kB}}});
    partition.isolate(kA);
    EXPECT_TRUE(partition.join(kA));
    EXPECT_FALSE(partition.connected(kA, kB));
    partition.isolate(kC);
    partition.heal();
    EXPECT_TRUE(partition.connected(kA, kB) && partition.connected(kC, kD));
}

}  // namespace
}  // namespace dunlin_wire
