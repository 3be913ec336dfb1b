#include "replica.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dunlin::ledger::test {
namespace {

std::string_view text(std::span<const std::byte> value) { return {reinterpret_cast<const char*>(value.data()), value.size()}; }

TEST(Ledger, learns_the_cluster_from_the_bootstrap_entry_once) {
    Replica replica;
    ASSERT_EQ(replica.bootstrap(500).replica, Status::ok);
    EXPECT_EQ(replica.ledger.incarnation(), ClusterIncarnation{77});
    EXPECT_EQ(replica.ledger.voter_rate_ppm(), 500u);
    EXPECT_EQ(replica.ledger.voters_index(), LogIndex{1});
    EXPECT_EQ(replica.ledger.member(2).node, 3u);
    EXPECT_EQ(replica.ledger.member(3).storage, 0u);
    EXPECT_EQ(replica.bootstrap(900).replica, Status::ok);
    EXPECT_EQ(replica.ledger.voter_rate_ppm(), 500u);
}

TEST(Ledger, stops_where_the_clusters_limits_are_not_this_builds) {
    Replica other(LedgerLimits{.keys = 17}), replica;
    std::array<std::byte, kBootstrapBytesMax> buffer{};
    const std::array voters{voter_row(NodeId{1}, StorageId{11}, {})};
    const auto payload = encode(Bootstrap{ClusterIncarnation{77}, other.ledger.limits(), 1000, 1, voters}, buffer);
    EXPECT_EQ(replica.apply(consensus::EntryType::bootstrap, payload).replica, Status::invalid_argument);
    EXPECT_EQ(replica.ledger.status(), Status::invalid_argument);
    EXPECT_EQ(other.apply(consensus::EntryType::bootstrap, payload).replica, Status::ok);
}

TEST(Ledger, stops_at_a_command_or_entry_that_it_does_not_know) {
    Replica replica;
    (void)replica.open(1);
    const std::vector<std::byte> before = replica.copy();
    EXPECT_EQ(replica.raw_command(1, 1, static_cast<CommandType>(200), {}).replica, Status::unsupported_version);
    EXPECT_EQ(replica.ledger.status(), Status::unsupported_version);
    EXPECT_EQ(replica.copy(), before);
    Replica second;
    EXPECT_EQ(second.apply(static_cast<consensus::EntryType>(77), {}).replica, Status::unsupported_version);
}

TEST(Ledger, runs_a_command_once_and_answers_its_retry) {
    Replica replica;
    (void)replica.open(1);
    const CommandResult first = replica.put(1, 1, "k", "v");
    EXPECT_EQ(first.status, Status::ok);
    const CommandResult again = replica.put(1, 1, "k", "other");
    EXPECT_EQ(again.value, first.value);
    EXPECT_EQ(replica.ledger.key(replica.ledger.find_key("k")).revision, first.value);
    EXPECT_EQ(replica.counters.get(Counter::commands_repeated), 1u);
}

TEST(Ledger, never_runs_a_command_that_a_later_one_has_overtaken) {
    Replica replica;
    (void)replica.open(1);
    (void)replica.put(1, 5, "k", "new");
    EXPECT_EQ(replica.put(1, 4, "k", "old").status, Status::stale_sequence);
    EXPECT_EQ(replica.put(1, 0, "k", "old").status, Status::stale_sequence);
    EXPECT_EQ(replica.ledger.value(replica.ledger.find_key("k")).size(), 3u);
}

TEST(Ledger, keeps_the_answer_to_a_refused_command_too) {
    Replica replica;
    (void)replica.open(1, 7);
    (void)replica.open(2, 8);
    (void)replica.acquire(1, 1, "pump", 1'000'000, 7);
    EXPECT_EQ(replica.acquire(2, 1, "pump", 1'000'000, 8).status, Status::lease_held);
    (void)replica.tick_at(2'000'000);
    EXPECT_EQ(replica.acquire(2, 1, "pump", 1'000'000, 8).status, Status::lease_held);
    EXPECT_EQ(replica.acquire(2, 2, "pump", 1'000'000, 8).status, Status::ok);
}

TEST(Ledger, a_session_that_is_gone_is_an_explicit_error_and_nothing_runs) {
    Replica replica;
    EXPECT_EQ(replica.put(9, 1, "k", "v").status, Status::session_evicted);
    EXPECT_FALSE(replica.ledger.find_key("k") != kNoSlot);
}

TEST(Ledger, a_session_belongs_to_the_node_that_opened_it) {
    Replica replica;
    (void)replica.open(1, 7);
    EXPECT_EQ(replica.put(1, 1, "k", "v", 8).status, Status::session_evicted);
    EXPECT_EQ(replica.open(1, 8).status, Status::stale_sequence);
    EXPECT_EQ(replica.put(1, 1, "k", "v", 7).status, Status::ok);
}

TEST(Ledger, a_node_that_opens_another_session_ends_its_old_one) {
    Replica replica;
    (void)replica.open(1, 7);
    EXPECT_EQ(replica.open(2, 7).status, Status::ok);
    EXPECT_EQ(replica.put(1, 1, "k", "v", 7).status, Status::session_evicted);
    EXPECT_EQ(replica.put(2, 1, "k", "v", 7).status, Status::ok);
}

TEST(Ledger, a_late_copy_of_its_opening_does_not_bring_a_session_back_that_another_process_of_its_node_has_ended) {
    Replica replica;
    (void)replica.open_as_of(0, 1, 7);
    (void)replica.put(1, 1, "k", "v", 7);
    EXPECT_EQ(replica.open_as_of(0, 2, 7).status, Status::ok);
    EXPECT_EQ(replica.open_as_of(0, 1, 7).status, Status::stale_sequence);
    EXPECT_EQ(replica.put(1, 1, "k", "v", 7).status, Status::session_evicted);
    EXPECT_EQ(replica.put(2, 1, "k", "w", 7).status, Status::ok);
}

TEST(Ledger, opening_a_session_twice_keeps_what_it_ran) {
    Replica replica;
    (void)replica.open(1);
    (void)replica.put(1, 1, "k", "v");
    EXPECT_EQ(replica.open(1).status, Status::ok);
    EXPECT_EQ(replica.put(1, 1, "k", "other").status, Status::ok);
    EXPECT_EQ(replica.ledger.value(replica.ledger.find_key("k")).size(), 1u);
}

TEST(Ledger, evicts_the_session_least_recently_used_when_full_and_says_so) {
    Replica replica;
    for (std::uint16_t i = 1; i <= 16; ++i) (void)replica.open(i, i);
    (void)replica.put(1, 1, "k", "v", 1);
    EXPECT_EQ(replica.open(17, 17).status, Status::ok);
    EXPECT_EQ(replica.counters.get(Counter::sessions_evicted), 1u);
    EXPECT_EQ(replica.put(2, 1, "k", "v", 2).status, Status::session_evicted);
    EXPECT_EQ(replica.put(1, 2, "k", "v", 1).status, Status::ok);
}

TEST(Ledger, a_late_copy_of_its_opening_does_not_bring_an_evicted_session_back_to_run_its_commands_again) {
    Replica replica;
    (void)replica.bootstrap();
    const std::uint64_t as_of = replica.ledger.applied().value();
    (void)replica.open_as_of(as_of, 100, 99);
    (void)replica.put(100, 1, "k", "first", 99);
    for (std::uint16_t i = 1; i <= 16; ++i) EXPECT_EQ(replica.open_as_of(as_of, i, i).status, Status::ok);  // evicts it
    (void)replica.put(16, 1, "k", "newer", 16);
    Replica successor;
    ASSERT_EQ(successor.ledger.install(replica.ledger.image()), Status::ok);
    for (Replica* const each : {&replica, &successor}) {
        EXPECT_EQ(each->open_as_of(as_of, 100, 99).status, Status::stale_sequence);
        EXPECT_EQ(each->put(100, 1, "k", "first", 99).status, Status::session_evicted);
        EXPECT_EQ(text(each->ledger.value(each->ledger.find_key("k"))), "newer");
    }
}

TEST(Ledger, who_is_refused_a_session_gets_one_as_of_the_index_that_it_is_told) {
    Replica replica;
    (void)replica.open_as_of(0, 1, 7);
    (void)replica.open_as_of(0, 2, 7);
    const CommandResult evicted = replica.put(1, 1, "k", "v", 7);
    EXPECT_EQ(evicted.value, replica.ledger.applied().value());
    const CommandResult refused = replica.open_as_of(0, 3, 8);
    EXPECT_EQ(refused.status, Status::stale_sequence);
    EXPECT_EQ(refused.value, replica.ledger.applied().value());
    (void)replica.put(2, 1, "k", "v", 7);
    (void)replica.open_as_of(refused.value, 4, 7);  // a session used after that index is gone, too
    EXPECT_EQ(replica.open_as_of(refused.value, 3, 8).status, Status::stale_sequence);
    EXPECT_EQ(replica.open_as_of(replica.ledger.applied().value() + 1, 3, 8).status, Status::stale_sequence);  // nobody knows it yet
    EXPECT_EQ(replica.open_as_of(replica.ledger.applied().value(), 3, 8).status, Status::ok);
}

TEST(Ledger, one_that_was_idle_for_long_and_goes_lets_none_back_that_was_used_later) {
    Replica replica;
    for (std::uint16_t i = 1; i <= 16; ++i) (void)replica.open(i, i);
    const std::uint64_t as_of = replica.ledger.applied().value();
    (void)replica.open_as_of(as_of, 100, 16);
    (void)replica.put(100, 1, "k", "v", 16);
    EXPECT_EQ(replica.open(101, 16).status, Status::ok);  // ends it
    EXPECT_EQ(replica.open(17, 17).status, Status::ok);   // evicts the first
    EXPECT_EQ(replica.open_as_of(as_of, 100, 16).status, Status::stale_sequence);
}

TEST(Ledger, sessions_that_are_in_use_do_not_keep_newcomers_out) {
    Replica replica;
    for (std::uint16_t i = 1; i <= 17; ++i) EXPECT_EQ(replica.open(i, i).status, Status::ok);  // one is gone
    const std::uint64_t told = replica.open_as_of(0, 20, 20).value;
    for (std::uint16_t i = 21; i <= 30; ++i) EXPECT_EQ(replica.open(i, i).status, Status::ok);  // more are, none used since
    EXPECT_EQ(replica.open_as_of(told, 20, 20).status, Status::ok);
}

TEST(Ledger, only_the_clusters_limits_decide_full) {
    Replica replica;
    (void)replica.open(1);
    for (std::uint64_t i = 1; i <= 16; ++i) EXPECT_EQ(replica.put(1, i, "key" + std::to_string(i), "v").status, Status::ok);
    EXPECT_EQ(replica.put(1, 17, "one more", "v").status, Status::ledger_full);
    EXPECT_EQ(replica.put(1, 18, "key3", "w").status, Status::ok);
    EXPECT_EQ(replica.put(1, 19, "key3", std::string(33, 'x')).status, Status::too_large);
    EXPECT_EQ(replica.put(1, 20, "key3", std::string(32, 'x')).status, Status::ok);
}

TEST(Ledger, a_malformed_command_uses_up_its_sequence_and_changes_no_table) {
    Replica replica;
    (void)replica.open(1);
    EXPECT_EQ(replica.command(1, 1, CommandType::put, {}).status, Status::invalid_argument);
    EXPECT_EQ(replica.put(1, 1, "k", "v").status, Status::invalid_argument);
    EXPECT_EQ(replica.apply(consensus::EntryType::command, {}).command.status, Status::invalid_argument);
}

}  // namespace
}  // namespace dunlin::ledger::test
