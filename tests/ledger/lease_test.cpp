#include "replica.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dunlin::ledger::test {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;

struct Lease : testing::Test {
    Lease() {
        (void)replica.open(1, 7);
        (void)replica.open(2, 8);
    }
    Replica replica;
    std::uint64_t deadline(std::string_view name) { return replica.ledger.lease(replica.ledger.find_lease(name)).deadline; }
};

TEST_F(Lease, is_granted_under_the_log_index_as_token) {
    const CommandResult granted = replica.acquire(1, 1, "pump", 5 * kSecond);
    EXPECT_EQ(granted.status, Status::ok);
    EXPECT_EQ(granted.value, replica.ledger.applied().value());
    EXPECT_EQ(granted.detail, replica.ledger.find_lease("pump"));
}

TEST_F(Lease, held_by_another_is_refused_with_the_time_that_is_left) {
    (void)replica.acquire(1, 1, "pump", 5 * kSecond, 7);
    replica.time = 2 * kSecond;
    const CommandResult refused = replica.acquire(2, 1, "pump", 5 * kSecond, 8);
    EXPECT_EQ(refused.status, Status::lease_held);
    EXPECT_EQ(refused.detail, 7u);
    EXPECT_EQ(refused.value, 3 * kSecond);
}

TEST_F(Lease, is_granted_anew_to_the_same_process_under_a_larger_token) {
    const CommandResult first = replica.acquire(1, 1, "pump", 5 * kSecond);
    const CommandResult second = replica.acquire(1, 2, "pump", 5 * kSecond);
    EXPECT_EQ(second.status, Status::ok);
    EXPECT_GT(second.value, first.value);
}

TEST_F(Lease, of_an_earlier_boot_of_the_same_node_must_run_out_first) {
    (void)replica.acquire(1, 1, "pump", 5 * kSecond, 7, 1);
    EXPECT_EQ(replica.acquire(1, 2, "pump", 5 * kSecond, 7, 2).status, Status::lease_held);
}

TEST_F(Lease, is_released_by_its_token_alone) {
    const CommandResult granted = replica.acquire(1, 1, "pump", 5 * kSecond);
    EXPECT_EQ(replica.release(1, 2, "pump", granted.value + 1).status, Status::lease_lost);
    EXPECT_EQ(replica.release(2, 1, "pump", granted.value, 8).status, Status::lease_lost);
    EXPECT_EQ(replica.release(1, 3, "pump", granted.value).status, Status::ok);
    EXPECT_FALSE(replica.ledger.find_lease("pump") != kNoSlot);
}

TEST_F(Lease, is_granted_to_nobody_until_what_lost_voters_may_have_granted_is_over) {
    const std::uint64_t token = replica.acquire(1, 1, "pump", 500 * kSecond, 7).value;
    replica.change_header([](ImageHeader& header) { header.grants_after = 100; });
    replica.time = 99 * kSecond;
    const CommandResult refused = replica.acquire(2, 1, "tap", kSecond, 8);
    EXPECT_EQ(refused.status, Status::lease_held);
    EXPECT_EQ(refused.detail, 0u);
    EXPECT_EQ(refused.value, kSecond);
    EXPECT_EQ(replica.acquire(1, 2, "pump", kSecond, 7).status, Status::lease_held);  // another may have got it since
    (void)replica.renew_at(99 * kSecond, token, {0});
    EXPECT_EQ(deadline("pump"), 599 * kSecond);
    replica.time = 100 * kSecond;
    EXPECT_EQ(replica.acquire(2, 2, "tap", kSecond, 8).status, Status::ok);
}

TEST_F(Lease, expires_when_the_time_of_an_entry_reaches_its_deadline) {
    (void)replica.acquire(1, 1, "pump", 5 * kSecond);
    (void)replica.tick_at(5 * kSecond - 1);
    EXPECT_TRUE(replica.ledger.find_lease("pump") != kNoSlot);
    (void)replica.tick_at(5 * kSecond);
    EXPECT_FALSE(replica.ledger.find_lease("pump") != kNoSlot);
}

TEST_F(Lease, is_not_kept_alive_by_elections_for_each_no_op_carries_time) {
    (void)replica.acquire(1, 1, "pump", kSecond);
    for (std::uint64_t term = 2; term < 12; ++term) {
        replica.term = term;
        (void)replica.apply_at(term * 100'000, consensus::EntryType::none, {});
    }
    EXPECT_FALSE(replica.ledger.find_lease("pump") != kNoSlot);
}

TEST_F(Lease, cluster_time_never_goes_back) {
    (void)replica.tick_at(9 * kSecond);
    (void)replica.acquire(1, 1, "pump", kSecond);
    replica.time = 3 * kSecond;
    (void)replica.put(1, 2, "k", "v");
    EXPECT_EQ(replica.ledger.cluster_time(), ClusterTime{9 * kSecond});
    EXPECT_EQ(deadline("pump"), 10 * kSecond);
}

TEST_F(Lease, several_expire_in_order_of_deadline_and_slot_a_bounded_number_an_entry) {
    for (std::uint64_t i = 0; i < 7; ++i) (void)replica.acquire(1, i + 1, "lease" + std::to_string(i), (i == 0 ? 3 : 2) * kSecond);
    EXPECT_EQ(replica.ledger.next_expiry(), ClusterTime{2 * kSecond});
    (void)replica.tick_at(10 * kSecond);
    for (unsigned i = 0; i < 7; ++i) EXPECT_EQ(replica.ledger.find_lease("lease" + std::to_string(i)) != kNoSlot, i == 0 || i > 4) << i;
    (void)replica.tick_at(10 * kSecond);
    EXPECT_FALSE(replica.ledger.next_expiry().has_value());
}

TEST_F(Lease, past_its_deadline_goes_to_the_next_who_asks_though_it_waits_to_expire) {
    for (std::uint64_t i = 0; i < 7; ++i) (void)replica.acquire(1, i + 1, "lease" + std::to_string(i), kSecond);
    replica.time = 2 * kSecond;
    EXPECT_EQ(replica.acquire(2, 1, "lease6", kSecond, 8).status, Status::ok);
}

TEST_F(Lease, renewed_by_a_batch_lasts_its_ttl_from_the_entrys_time) {
    const CommandResult granted = replica.acquire(1, 1, "pump", 5 * kSecond);
    (void)replica.renew_at(3 * kSecond, replica.ledger.applied().value(), {granted.detail});
    EXPECT_EQ(deadline("pump"), 8 * kSecond);
    EXPECT_EQ(replica.counters.get(Counter::leases_renewed), 1u);
}

TEST_F(Lease, is_not_renewed_at_or_after_its_deadline) {
    const CommandResult granted = replica.acquire(1, 1, "pump", 5 * kSecond);
    (void)replica.renew_at(5 * kSecond, replica.ledger.applied().value(), {granted.detail});
    EXPECT_FALSE(replica.ledger.find_lease("pump") != kNoSlot);
}

TEST_F(Lease, past_its_deadline_is_not_renewed_though_its_row_waits_to_expire) {
    for (std::uint64_t i = 0; i < 7; ++i) (void)replica.acquire(1, i + 1, "lease" + std::to_string(i), kSecond);
    (void)replica.renew_at(2 * kSecond, replica.ledger.applied().value(), {6});
    EXPECT_EQ(deadline("lease6"), kSecond);
    EXPECT_EQ(replica.counters.get(Counter::renewals_refused), 1u);
}

TEST_F(Lease, a_renewal_batched_behind_the_expiry_and_regrant_of_its_slot_does_not_renew_the_new_holder) {
    const CommandResult old = replica.acquire(1, 1, "pump", kSecond, 7);
    const std::uint64_t as_of = replica.ledger.applied().value();
    (void)replica.tick_at(kSecond);
    const CommandResult next = replica.acquire(2, 1, "valve", 5 * kSecond, 8);
    ASSERT_EQ(next.detail, old.detail);
    (void)replica.renew_at(3 * kSecond, as_of, {old.detail});
    EXPECT_EQ(deadline("valve"), 6 * kSecond);
    EXPECT_EQ(replica.counters.get(Counter::renewals_refused), 1u);
}

TEST_F(Lease, a_malformed_batch_renews_nothing) {
    (void)replica.acquire(1, 1, "pump", 5 * kSecond);
    EXPECT_EQ(replica.apply_at(kSecond, consensus::EntryType::renewals, raw(RenewalsHead{99})).replica, Status::ok);
    EXPECT_EQ(replica.apply_at(kSecond, consensus::EntryType::renewals, {}).replica, Status::ok);
    EXPECT_EQ(deadline("pump"), 5 * kSecond);
}

TEST_F(Lease, table_full_is_said_and_an_expired_row_makes_room) {
    for (std::uint64_t i = 0; i < 16; ++i) (void)replica.acquire(1, i + 1, "lease" + std::to_string(i), (i + 1) * kSecond);
    EXPECT_EQ(replica.acquire(1, 17, "more", kSecond).status, Status::ledger_full);
    replica.time = kSecond;
    EXPECT_EQ(replica.acquire(1, 18, "more", kSecond).status, Status::ok);
}

}  // namespace
}  // namespace dunlin::ledger::test
