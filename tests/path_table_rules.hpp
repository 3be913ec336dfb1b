#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>

// What every transport's table of paths must do, whatever it is made of. `Subject` has make(paths_max) and far_end(port).
namespace path_table_rules {

using dunlin::PathId;

template <class Subject>
class PathTableRules : public testing::Test {};
TYPED_TEST_SUITE_P(PathTableRules);

TYPED_TEST_P(PathTableRules, names_an_address_by_one_path_however_it_became_known) {
    const auto far_end = TypeParam::far_end;
    auto table = TypeParam::make(4);
    const PathId path = table.received_from(far_end(1)).path;
    EXPECT_NE(path, PathId{});
    EXPECT_EQ(table.received_from(far_end(1)).path, path);
    EXPECT_EQ(table.dial(far_end(1)).path, path);
    EXPECT_NE(table.received_from(far_end(2)).path, path);
    ASSERT_NE(table.send_to(path), nullptr);
    EXPECT_EQ(*table.send_to(path), far_end(1));
    EXPECT_EQ(table.size(), 2U);
}

TYPED_TEST_P(PathTableRules, makes_room_among_strangers_first_oldest_first) {
    const auto far_end = TypeParam::far_end;
    auto table = TypeParam::make(3);
    const PathId answered = table.received_from(far_end(1)).path;
    const PathId older = table.received_from(far_end(2)).path;
    const PathId newer = table.received_from(far_end(3)).path;
    static_cast<void>(table.send_to(answered));
    EXPECT_EQ(table.received_from(far_end(2)).path, older);  // heard again: now the newer of the two
    EXPECT_EQ(table.received_from(far_end(4)).evicted, newer);
    EXPECT_EQ(table.received_from(far_end(5)).evicted, older);
    EXPECT_NE(table.find(answered), nullptr);
}

TYPED_TEST_P(PathTableRules, a_flood_of_forged_sources_pushes_out_neither_dialled_nor_answered_paths) {
    const auto far_end = TypeParam::far_end;
    auto table = TypeParam::make(8);
    const PathId dialled = table.dial(far_end(1)).path;
    const PathId answered = table.received_from(far_end(2)).path;
    static_cast<void>(table.send_to(answered));
    for (unsigned port = 100; port < 10100; ++port) ASSERT_NE(table.received_from(far_end(port)).path, PathId{});
    EXPECT_NE(table.find(dialled), nullptr);
    EXPECT_NE(table.find(answered), nullptr);
    EXPECT_EQ(table.size(), 8U);
}

TYPED_TEST_P(PathTableRules, takes_the_answered_path_longest_out_of_use_when_there_is_no_stranger) {
    const auto far_end = TypeParam::far_end;
    auto table = TypeParam::make(2);
    const PathId first = table.received_from(far_end(1)).path;
    const PathId second = table.received_from(far_end(2)).path;
    static_cast<void>(table.send_to(first));
    static_cast<void>(table.send_to(second));
    EXPECT_EQ(table.received_from(far_end(1)).path, first);
    EXPECT_EQ(table.received_from(far_end(3)).evicted, second);
}

TYPED_TEST_P(PathTableRules, gives_a_dialled_path_up_to_another_dial_only) {
    const auto far_end = TypeParam::far_end;
    auto table = TypeParam::make(2);
    const PathId first = table.dial(far_end(1)).path;
    const PathId second = table.dial(far_end(2)).path;
    EXPECT_EQ(table.received_from(far_end(3)).path, PathId{});
    EXPECT_EQ(table.received_from(far_end(1)).path, first);
    const auto third = table.dial(far_end(3));
    EXPECT_NE(third.path, PathId{});
    EXPECT_EQ(third.evicted, second);
}

TYPED_TEST_P(PathTableRules, never_gives_the_id_of_an_evicted_path_again) {
    const auto far_end = TypeParam::far_end;
    auto table = TypeParam::make(1);
    const PathId path = table.dial(far_end(1)).path;
    EXPECT_EQ(table.dial(far_end(1)).path, path);
    EXPECT_EQ(table.dial(far_end(2)).evicted, path);
    EXPECT_EQ(table.find(path), nullptr);
    EXPECT_EQ(table.send_to(path), nullptr);
    EXPECT_NE(table.dial(far_end(1)).path, path);
}

// Tables of 8 slots against maps, 200 random steps each (in the end every path is dialled): an address has one path, a path
// one address, ids are not reused.
TYPED_TEST_P(PathTableRules, agrees_with_a_plain_model_over_random_steps) {
    const auto far_end = TypeParam::far_end;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        auto table = TypeParam::make(8);
        dunlin::Random random(seed);
        std::map<unsigned, PathId> model;  // by port
        std::set<PathId> given;
        for (int step = 0; step < 200; ++step) {
            const unsigned end = 1 + static_cast<unsigned>(random.below(24));
            const std::uint64_t action = random.below(8);
            const auto known = model.find(end);
            if (action == 0 && known != model.end()) {
                ASSERT_EQ(*table.send_to(known->second), far_end(end));
                continue;
            }
            const auto found = action == 1 ? table.dial(far_end(end)) : table.received_from(far_end(end));
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
                model[end] = found.path;
            }
            ASSERT_EQ(table.size(), model.size());
            for (const auto& [port, path] : model) ASSERT_EQ(*table.find(path), far_end(port));
        }
        EXPECT_GT(given.size(), 16U);
    }
}

REGISTER_TYPED_TEST_SUITE_P(PathTableRules, names_an_address_by_one_path_however_it_became_known,
                            makes_room_among_strangers_first_oldest_first,
                            a_flood_of_forged_sources_pushes_out_neither_dialled_nor_answered_paths,
                            takes_the_answered_path_longest_out_of_use_when_there_is_no_stranger,
                            gives_a_dialled_path_up_to_another_dial_only, never_gives_the_id_of_an_evicted_path_again,
                            agrees_with_a_plain_model_over_random_steps);

}  // namespace path_table_rules
