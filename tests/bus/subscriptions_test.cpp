#include <dunlin/bus/remote_subscriptions.hpp>
#include <dunlin/bus/subscriptions.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace dunlin::bus {
namespace {

Verdict accept(void*, const Message&) { return Verdict::accept; }
const Handler kHandler{accept, nullptr};

struct Local {
    std::array<LocalSubscription, 3> rows{};
    std::array<char, 3 * 8> filters{};
    LocalSubscriptions table{{.rows = rows, .filters = filters, .filter_bytes_max = 8}};
    Result<SubscriptionId> add(std::string_view filter, std::uint32_t durable_id = 0, std::uint32_t settled = 0) {
        return table.add(filter, kHandler, durable_id, LeaseKey{}, settled);
    }
};

TEST(LocalSubscriptions, have_ids_of_their_own_and_durable_ones_the_id_that_they_ask_for) {
    Local local;
    const SubscriptionId first = local.add("a").value();
    const SubscriptionId second = local.add("a").value();
    const SubscriptionId durable = local.add("b", 7).value();
    EXPECT_NE(first, second);
    EXPECT_EQ(durable, SubscriptionId{0x8000'0007});
    EXPECT_EQ(local.table.filter(*local.table.find(durable)), "b");
}

TEST(LocalSubscriptions, say_table_full_and_refuse_a_durable_id_in_use) {
    Local local;
    ASSERT_TRUE(local.add("a", 1).ok());
    EXPECT_EQ(local.add("b", 1).status(), Status::invalid_argument);
    ASSERT_TRUE(local.add("b").ok());
    ASSERT_TRUE(local.add("c").ok());
    EXPECT_EQ(local.add("d").status(), Status::table_full);
}

TEST(LocalSubscriptions, use_a_removed_row_again_only_when_the_peers_were_told) {
    Local local;
    const SubscriptionId gone = local.add("a").value();
    ASSERT_TRUE(local.add("b").ok());
    ASSERT_TRUE(local.add("c").ok());
    ASSERT_EQ(local.table.remove(gone), Status::ok);
    EXPECT_EQ(local.table.remove(gone), Status::not_found);
    EXPECT_EQ(local.table.find(gone), nullptr);
    const std::uint32_t told = local.table.last_change();
    EXPECT_EQ(local.add("d", 0, told - 1).status(), Status::table_full);
    EXPECT_TRUE(local.add("d", 0, told).ok());
}

TEST(LocalSubscriptions, remember_a_removed_durable_one_for_longer_than_others) {
    Local local;
    const SubscriptionId durable = local.add("a", 1).value();
    const SubscriptionId other = local.add("b").value();
    ASSERT_TRUE(local.add("c").ok());
    ASSERT_EQ(local.table.remove(durable), Status::ok);
    ASSERT_EQ(local.table.remove(other), Status::ok);
    const std::uint32_t told = local.table.last_change();
    ASSERT_TRUE(local.add("d", 0, told).ok());
    EXPECT_TRUE(local.table.was_removed(durable));
    ASSERT_TRUE(local.add("e", 0, told).ok());
    EXPECT_FALSE(local.table.was_removed(durable));
}

TEST(LocalSubscriptions, can_be_durable_again_after_removal) {
    Local local;
    const SubscriptionId durable = local.add("a", 1).value();
    ASSERT_EQ(local.table.remove(durable), Status::ok);
    ASSERT_TRUE(local.add("b", 1).ok());
    EXPECT_FALSE(local.table.was_removed(durable));
    EXPECT_EQ(local.table.filter(*local.table.find(durable)), "b");
}

TEST(LocalSubscriptions, are_walked_in_the_order_of_their_changes_also_after_renumbering) {
    Local local;
    ASSERT_TRUE(local.add("a").ok());
    const SubscriptionId b = local.add("b").value();
    ASSERT_TRUE(local.add("c").ok());
    ASSERT_EQ(local.table.remove(b), Status::ok);
    const std::uint32_t before = local.table.last_change();
    local.table.renumber();
    std::string order;
    for (const LocalSubscription* row = local.table.next_after(before); row != nullptr; row = local.table.next_after(row->generation)) {
        order += row->removed ? std::string("-") : std::string(local.table.filter(*row));
    }
    EXPECT_EQ(order, "ac-");
    EXPECT_EQ(local.table.next_after(local.table.last_change()), nullptr);
}

struct Remote {
    std::array<RemoteSubscription, 2> rows{};
    std::array<char, 2 * 8> filters{};
    RemoteSubscriptions table{{.rows = rows, .filters = filters, .filter_bytes_max = 8}};
};

TEST(RemoteSubscriptions, match_wherever_their_row_is) {
    Remote remote;
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(remote.table.next_match(0, "a"), 2U);
        (void)remote.table.put(NodeId{1}, PeerIndex{0}, SubscriptionId{1}, "a");
        (void)remote.table.put(NodeId{1}, PeerIndex{0}, SubscriptionId{2}, "a");
        EXPECT_EQ(remote.table.next_match(1, "a"), 1U);
        remote.table.remove(remote.table.rows()[0]);
        EXPECT_EQ(remote.table.next_match(0, "a"), 1U);
        remote.table.remove(remote.table.rows()[1]);
    }
}

TEST(RemoteSubscriptions, are_named_by_node_and_id_and_matched_by_filter) {
    Remote remote;
    using Change = RemoteSubscriptions::Change;
    EXPECT_EQ(remote.table.put(NodeId{1}, PeerIndex{0}, SubscriptionId{5}, "a/+"), Change::added);
    EXPECT_EQ(remote.table.put(NodeId{2}, PeerIndex{1}, SubscriptionId{5}, "b"), Change::added);
    EXPECT_TRUE(remote.table.full());
    EXPECT_EQ(remote.table.put(NodeId{2}, PeerIndex{1}, SubscriptionId{6}, "c"), Change::full);
    EXPECT_EQ(remote.table.put(NodeId{2}, PeerIndex{1}, SubscriptionId{5}, "b"), Change::known);
    EXPECT_EQ(remote.table.put(NodeId{2}, PeerIndex{1}, SubscriptionId{5}, "a/#"), Change::known);
    EXPECT_EQ(remote.table.next_match(0, "a/x"), 0U);
    EXPECT_EQ(remote.table.next_match(1, "a/x"), 1U);
    EXPECT_EQ(remote.table.next_match(0, "a"), 1U);
    EXPECT_EQ(remote.table.next_match(0, "b"), 2U);
    remote.table.remove(*remote.table.find(NodeId{1}, SubscriptionId{5}));
    EXPECT_EQ(remote.table.next_match(0, "a/x"), 1U);
    EXPECT_EQ(remote.table.find(NodeId{1}, SubscriptionId{5}), nullptr);
    EXPECT_FALSE(remote.table.full());
}

}  // namespace
}  // namespace dunlin::bus
