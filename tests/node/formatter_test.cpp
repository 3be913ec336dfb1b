#include "journal/memory_device.hpp"

#include <dunlin/node/formatter.hpp>

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace dunlin {
namespace {

struct FormatterTest : testing::Test {
    FormatterTest() {
        for (std::uint16_t i = 0; i < kVotersMax; ++i) {
            voters[i] = ledger::voter_row(NodeId{static_cast<std::uint16_t>(i + 1)}, StorageId{101U + i}, {});
        }
        plan.node = NodeId{1};
        plan.storage = StorageId{101};
        plan.stream = StreamId{1};
        plan.cluster = "test";
        plan.init = true;
        plan.bootstrap.incarnation = ClusterIncarnation{5};
        plan.bootstrap.voters = voters;
    }
    Status begin(std::size_t buffer_bytes = 640) {
        buffer.resize(buffer_bytes);
        journal::Journal journal({buffer}, counters);
        Formatter formatter(journal, plan);
        const Status status = formatter.begin(64U * 1024);
        touched = formatter.poll_op().has_value();
        return status;
    }

    std::array<ledger::MemberRow, kVotersMax> voters{};
    FormatPlan plan;
    Counters counters;
    std::vector<std::byte> buffer;
    bool touched = false;
};

TEST_F(FormatterTest, takes_a_cluster_of_seven_voters_in_a_buffer_of_640_bytes) {
    EXPECT_EQ(begin(), Status::ok);
    EXPECT_TRUE(touched);
}

TEST_F(FormatterTest, refuses_to_found_a_cluster_that_this_very_node_and_storage_is_no_voter_of) {
    plan.node = NodeId{8};
    EXPECT_EQ(begin(), Status::not_found);
    EXPECT_FALSE(touched);
    plan.node = NodeId{1};
    plan.storage = StorageId{102};  // of voter 2
    EXPECT_EQ(begin(), Status::not_found);
    EXPECT_FALSE(touched);
    plan.init = false;
    EXPECT_EQ(begin(), Status::ok);
}

TEST_F(FormatterTest, refuses_a_bootstrap_entry_that_the_journals_buffer_does_not_hold_before_anything_is_written) {
    EXPECT_EQ(begin(632), Status::too_large);
    EXPECT_FALSE(touched);
    plan.bootstrap.voters = std::span(voters).first(5);
    EXPECT_EQ(begin(512), Status::ok);
}

}  // namespace
}  // namespace dunlin
