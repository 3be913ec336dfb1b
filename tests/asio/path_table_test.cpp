#include <dunlin_asio/path_table.hpp>

#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace dunlin_asio {
namespace {

using dunlin::PathId;

Endpoint far_end(unsigned port) { return *numeric_address("127.0.0.1:" + std::to_string(port)); }

TEST(PathTable, names_an_address_by_one_path_however_it_became_known) {
    PathTable table(4, 1);
    const PathId path = table.received_from(far_end(1)).path;
    EXPECT_NE(path, PathId{});
    EXPECT_EQ(table.received_from(far_end(1)).path, path);
    EXPECT_EQ(table.dial(far_end(1)).path, path);
    EXPECT_NE(table.received_from(far_end(2)).path, path);
    ASSERT_NE(table.send_to(path), nullptr);
    EXPECT_EQ(*table.send_to(path), far_end(1));
    EXPECT_EQ(table.size(), 2U);
}

TEST(PathTable, tells_v6_addresses_apart_by_their_scope) {
    PathTable table(4, 1);
    const PathId one = table.received_from(*numeric_address("[fe80::1%1]:1")).path;
    EXPECT_NE(table.received_from(*numeric_address("[fe80::1%2]:1")).path, one);
}

TEST(PathTable, makes_room_among_strangers_first_oldest_first) {
    PathTable table(3, 1);
    const PathId answered = table.received_from(far_end(1)).path;
    const PathId older = table.received_from(far_end(2)).path;
    const PathId newer = table.received_from(far_end(3)).path;
    static_cast<void>(table.send_to(answered));
    EXPECT_EQ(table.received_from(far_end(2)).path, older);  // heard again: now the newer of the two
    EXPECT_EQ(table.received_from(far_end(4)).evicted, newer);
    EXPECT_EQ(table.received_from(far_end(5)).evicted, older);
    EXPECT_NE(table.find(answered), nullptr);
}

TEST(PathTable, a_flood_of_forged_sources_pushes_out_neither_dialled_nor_answered_paths) {
    PathTable table(8, 1);
    const PathId dialled = table.dial(far_end(1)).path;
    const PathId answered = table.received_from(far_end(2)).path;
    static_cast<void>(table.send_to(answered));
    for (unsigned port = 100; port < 10100; ++port) ASSERT_NE(table.received_from(far_end(port)).path, PathId{});
    EXPECT_NE(table.find(dialled), nullptr);
    EXPECT_NE(table.find(answered), nullptr);
    EXPECT_EQ(table.size(), 8U);
}

TEST(PathTable, takes_the_answered_path_longest_out_of_use_when_there_is_no_stranger) {
    PathTable table(2, 1);
    const PathId first = table.received_from(far_end(1)).path;
    const PathId second = table.received_from(far_end(2)).path;
    static_cast<void>(table.send_to(first));
    static_cast<void>(table.send_to(second));
    EXPECT_EQ(table.received_from(far_end(1)).path, first);
    EXPECT_EQ(table.received_from(far_end(3)).evicted, second);
}

TEST(PathTable, gives_a_dialled_path_up_to_another_dial_only) {
    PathTable table(2, 1);
    const PathId first = table.dial(far_end(1)).path;
    const PathId second = table.dial(far_end(2)).path;
    EXPECT_EQ(table.received_from(far_end(3)).path, PathId{});
    EXPECT_EQ(table.received_from(far_end(1)).path, first);
    const PathTable::Found third = table.dial(far_end(3));
    EXPECT_NE(third.path, PathId{});
    EXPECT_EQ(third.evicted, second);
}

TEST(PathTable, never_gives_the_id_of_an_evicted_path_again) {
    PathTable table(1, 1);
    const PathId path = table.dial(far_end(1)).path;
    EXPECT_EQ(table.dial(far_end(1)).path, path);
    EXPECT_EQ(table.dial(far_end(2)).evicted, path);
    EXPECT_EQ(table.find(path), nullptr);
    EXPECT_EQ(table.send_to(path), nullptr);
    EXPECT_NE(table.dial(far_end(1)).path, path);
}

class PathTableModel : public testing::TestWithParam<std::uint64_t> {};

// Tables of 8 slots against maps, 200 random steps each (in the end every path is dialled): an address has one path, a path
// one address, ids are not reused.
TEST_P(PathTableModel, agrees_with_a_plain_model_over_random_steps) {
    PathTable table(8, 99);
    dunlin::Random random(GetParam());
    std::map<Endpoint, PathId> model;
    std::set<PathId> given;
    for (int step = 0; step < 200; ++step) {
        const Endpoint endpoint = far_end(1 + static_cast<unsigned>(random.below(24)));
        const std::uint64_t action = random.below(8);
        const auto known = model.find(endpoint);
        if (action == 0 && known != model.end()) {
            ASSERT_EQ(*table.send_to(known->second), endpoint);
            continue;
        }
        const PathTable::Found found = action == 1 ? table.dial(endpoint) : table.received_from(endpoint);
        if (found.evicted != PathId{}) {
            ASSERT_EQ(table.find(found.evicted), nullptr);
            ASSERT_EQ(std::erase_if(model, [&](const auto& entry) { return entry.second == found.evicted; }), 1U);
        }
        if (found.path == PathId{}) {
            ASSERT_EQ(model.size(), 8U);
        } else if (known != model.end()) {
            ASSERT_EQ(found.path, known->second);
        } else {
            ASSERT_TRUE(given.insert(found.path).second);
            model[endpoint] = found.path;
        }
        ASSERT_EQ(table.size(), model.size());
        for (const auto& [address, path] : model) ASSERT_EQ(*table.find(path), address);
    }
    EXPECT_GT(given.size(), 16U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PathTableModel, testing::Range<std::uint64_t>(1, 101));

TEST(PathTable, remembers_of_a_path_that_it_refuses_trains_and_forgets_it_with_the_path) {
    PathTable table(1, 7);
    const PathId first = table.received_from(*numeric_address("127.0.0.1:9")).path;
    EXPECT_TRUE(table.takes_trains(first));
    table.refuse_trains(first);
    EXPECT_FALSE(table.takes_trains(first));
    EXPECT_FALSE(table.takes_trains(table.received_from(*numeric_address("127.0.0.1:9")).path));
    const PathId second = table.received_from(*numeric_address("127.0.0.1:10")).path;
    EXPECT_TRUE(table.takes_trains(second));
    EXPECT_FALSE(table.takes_trains(first));  // it is gone
}

}  // namespace
}  // namespace dunlin_asio
