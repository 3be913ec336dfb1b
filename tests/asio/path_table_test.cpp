#include "path_table_rules.hpp"

#include <dunlin_asio/path_table.hpp>

#include <gtest/gtest.h>

#include <string>

namespace dunlin_asio {
namespace {

using dunlin::PathId;

TEST(PathTable, tells_v6_addresses_apart_by_their_scope) {
    PathTable table(4, 1);
    const PathId one = table.received_from(*numeric_address("[fe80::1%1]:1")).path;
    EXPECT_NE(table.received_from(*numeric_address("[fe80::1%2]:1")).path, one);
}

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

namespace path_table_rules {
namespace {

struct Asio {
    static dunlin_asio::PathTable make(std::size_t paths_max) { return {paths_max, 99}; }
    static dunlin_asio::Endpoint far_end(unsigned port) { return *dunlin_asio::numeric_address("127.0.0.1:" + std::to_string(port)); }
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Asio, PathTableRules, Asio);

}  // namespace path_table_rules
