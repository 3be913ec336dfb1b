#include "ledger/service_fixture.hpp"

#include <dunlin/ledger/voter_set_reader.hpp>

#include <string>

namespace dunlin::ledger::test {
namespace {

TEST_F(ServiceTest, answers_a_command_once_it_was_applied_and_not_before) {
    open();
    put(at(2), 1, "v");
    EXPECT_FALSE(service.wants_to_send(kPeer));
    commit();
    EXPECT_TRUE(service.wants_to_send(kPeer));
    EXPECT_FALSE(service.wants_to_send(NodeId{8}));
    const wire::CommandReply answer = reply(at(3));
    EXPECT_EQ(answer.status(), 0u);
    EXPECT_EQ(answer.sequence(), 1u);
    EXPECT_EQ(answer.value(), replica.ledger.applied().value());
    EXPECT_FALSE(service.wants_to_send(kPeer));
}

TEST_F(ServiceTest, does_not_propose_a_command_twice_and_answers_its_latest_attempt) {
    open();
    put(at(2), 1, "v", 1);
    put(at(2), 1, "v", 2);
    EXPECT_EQ(log.waiting.size(), 1u);
    commit();
    EXPECT_EQ(reply(at(3)).attempt(), 2u);
}

TEST_F(ServiceTest, answers_a_retry_of_what_was_applied_from_the_sessions_row) {
    open();
    put(at(2), 1, "v");
    commit();
    const std::uint64_t revision = reply(at(3)).value();
    put(at(4), 1, "v", 2);
    EXPECT_TRUE(log.waiting.empty());
    EXPECT_EQ(reply(at(4)).value(), revision);
    put(at(5), 0, "v", 3);
    EXPECT_EQ(status_of(reply(at(5))), Status::stale_sequence);
}

TEST_F(ServiceTest, a_grant_tells_its_slot_and_the_voters_clock_bound) {
    open();
    command(at(1), 50, 1, CommandType::acquire, encode(AcquireCommand{"pump", seconds{1}, BootEpoch{1}}, scratch));
    commit();
    const AcquireDetail detail = AcquireDetail::from(reply(at(1)).detail());
    EXPECT_EQ(detail.slot, 0u);
    EXPECT_EQ(detail.voter_rate_ppm, 1000u);
}

TEST_F(ServiceTest, says_busy_when_its_table_or_the_log_is_full) {
    for (std::uint64_t session = 1; session <= 4; ++session) command(at(1), session, 0, CommandType::open_session, kOpening);
    command(at(1), 5, 0, CommandType::open_session, kOpening);
    EXPECT_EQ(status_of(reply(at(1))), Status::busy);
    commit();
    EXPECT_EQ(written(at(1)).size(), 4u);
    log.full = true;
    command(at(2), 5, 0, CommandType::open_session, kOpening);
    EXPECT_EQ(status_of(reply(at(2))), Status::busy);
}

TEST_F(ServiceTest, an_answer_that_nobody_comes_for_makes_room) {
    for (std::uint64_t session = 1; session <= 4; ++session) command(at(1), session, 0, CommandType::open_session, kOpening, 1, NodeId{30});
    commit();
    put(at(2), 1, "v");
    EXPECT_EQ(log.waiting.size(), 1u);
}

TEST_F(ServiceTest, of_a_follower_names_the_leader_it_knows_and_proposes_nothing) {
    log.leads = false;
    log.leader_id = NodeId{3};
    put(at(1), 1, "v");
    const wire::CommandReply answer = reply(at(1));
    EXPECT_EQ(status_of(answer), Status::not_leader);
    EXPECT_EQ(answer.leader(), 3u);
    renew(at(1), 9, 4, 0);
    EXPECT_EQ(status_of(written(at(1)).at(0).as<wire::RenewReply>()), Status::not_leader);
    read(at(1), 1, ReadKind::key, "k");
    EXPECT_EQ(status_of(written(at(1)).at(0).as<wire::ReadReply>()), Status::not_leader);
}

TEST_F(ServiceTest, that_loses_leadership_answers_not_leader_and_never_more) {
    open();
    put(at(2), 1, "v");
    log.leads = false;
    service.poll(at(3));
    EXPECT_EQ(status_of(reply(at(3))), Status::not_leader);
    commit();
    EXPECT_TRUE(written(at(4)).empty());
}

TEST_F(ServiceTest, a_proposal_that_another_leaders_entry_replaced_is_not_answered_with_that_ones_result) {
    open();
    put(at(2), 1, "v");
    log.waiting.back().term = Term{0};
    const CommandHead head{60, 0, 8, static_cast<std::uint8_t>(CommandType::open_session), 0, 0};
    log.waiting.back().payload = joined(raw(head), kOpening);
    commit();
    EXPECT_EQ(status_of(reply(at(3))), Status::not_leader);
}

TEST_F(ServiceTest, refuses_malformed_and_unknown_commands_without_logging_them) {
    command(at(1), 50, 1, CommandType::put, {});
    EXPECT_EQ(status_of(reply(at(1))), Status::invalid_argument);
    command(at(1), 50, 1, static_cast<CommandType>(90), {});
    EXPECT_EQ(status_of(reply(at(1))), Status::unsupported_version);
    command(at(1), 0, 0, CommandType::open_session, kOpening);
    EXPECT_EQ(status_of(reply(at(1))), Status::invalid_argument);
    command(at(1), 50, 1, CommandType::release, encode(ReleaseCommand{std::string(33, 'x'), Token{1}}, scratch));
    EXPECT_EQ(status_of(reply(at(1))), Status::too_large);
    read(at(1), 1, ReadKind::key, std::string(33, 'x'));
    EXPECT_EQ(status_of(written(at(1)).at(0).as<wire::ReadReply>()), Status::too_large);
    read(at(1), 2, ReadKind::key, "");
    EXPECT_EQ(status_of(written(at(1)).at(0).as<wire::ReadReply>()), Status::invalid_argument);
    EXPECT_TRUE(log.waiting.empty());
}

TEST_F(ServiceTest, puts_the_renewals_of_an_interval_into_one_entry_and_acknowledges_them_after_apply) {
    open();
    const std::uint64_t pump = grant();
    command(at(1), 50, 2, CommandType::acquire, encode(AcquireCommand{"valve", seconds{1}, BootEpoch{1}}, scratch));
    commit();
    const std::uint64_t valve = reply(at(1)).value();
    renew(at(100), 1, pump, 0);
    renew(at(104), 2, valve, 1);
    EXPECT_TRUE(log.waiting.empty());
    EXPECT_EQ(service.next_deadline(), at(110));
    service.on_timeout(at(110));
    ASSERT_EQ(log.waiting.size(), 1u);
    EXPECT_FALSE(service.wants_to_send(kPeer));
    commit(at(111));
    const auto records = written(at(111));
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].as<wire::RenewReply>().token(), pump);
    EXPECT_EQ(status_of(records[0].as<wire::RenewReply>()), Status::ok);
    EXPECT_EQ(records[1].as<wire::RenewReply>().request(), 2u);
    EXPECT_EQ(replica.ledger.lease(0).deadline, 1'110'000u);
}

TEST_F(ServiceTest, refuses_a_renewal_whose_token_or_holder_is_not_the_slots) {
    open();
    const std::uint64_t token = grant();
    renew(at(10), 1, token - 1, 0);
    EXPECT_EQ(status_of(written(at(10)).at(0).as<wire::RenewReply>()), Status::lease_lost);
    renew(at(10), 1, token, 0, NodeId{8});
    EXPECT_EQ(status_of(written(at(10), NodeId{8}).at(0).as<wire::RenewReply>()), Status::lease_lost);
    renew(at(10), 1, token, 16);
    EXPECT_EQ(replica.counters.get(Counter::records_malformed), 1u);
    EXPECT_EQ(service.next_deadline(), at(1001));
}

TEST_F(ServiceTest, answers_lease_lost_to_a_renewal_applied_past_the_deadline_though_the_row_waits_to_expire) {
    open();
    std::uint64_t token = 0;
    for (std::uint64_t i = 0; i < 6; ++i) {
        const std::string name = "lease" + std::to_string(i);
        command(at(1), 50, i + 1, CommandType::acquire, encode(AcquireCommand{name, seconds{1}, BootEpoch{1}}, scratch));
        commit();
        token = reply(at(1)).value();
    }
    renew(at(1000), 1, token, 5);
    service.flush_renewals(at(1010));  // the deadline was at 1001
    commit(at(1011));
    ASSERT_EQ(replica.ledger.lease(5).token, token);
    EXPECT_EQ(status_of(written(at(1011)).at(0).as<wire::RenewReply>()), Status::lease_lost);
}

TEST_F(ServiceTest, answers_lease_lost_to_a_renewal_whose_slot_was_granted_anew_at_the_very_time_of_its_entry) {
    open();
    command(at(1), 60, 0, CommandType::open_session, kOpening, 1, NodeId{8});
    commit();
    (void)written(at(1), NodeId{8});
    const std::uint64_t token = grant();
    renew(at(90), 1, token, 0);
    command(at(100), 50, 2, CommandType::release, encode(ReleaseCommand{"pump", Token{token}}, scratch));
    command(at(100), 60, 1, CommandType::acquire, encode(AcquireCommand{"valve", seconds{1}, BootEpoch{1}}, scratch), 1, NodeId{8});
    service.on_timeout(at(100));
    ASSERT_EQ(log.waiting.size(), 3u);
    commit(at(101));
    ASSERT_EQ(replica.ledger.find_lease("valve"), 0u);
    const auto records = written(at(101));
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(status_of(records[1].as<wire::RenewReply>()), Status::lease_lost);
}

TEST_F(ServiceTest, acknowledges_renewals_past_two_to_the_32) {
    open();
    const std::uint64_t token = grant();
    log.last = LogIndex{(std::uint64_t{1} << 32) - 1};
    replica.continue_after(log.last.value());
    for (std::uint64_t request = 1; request <= 3; ++request) {
        const auto milli = static_cast<std::int64_t>(request) * 100;
        renew(at(milli), request, token, 0);
        service.on_timeout(at(milli + 10));
        commit(at(milli + 11));
        const auto records = written(at(milli + 11));
        ASSERT_EQ(records.size(), 1u);
        EXPECT_EQ(status_of(records[0].as<wire::RenewReply>()), Status::ok);
    }
}

TEST_F(ServiceTest, that_was_deposed_renews_nothing_though_it_had_collected_renewals) {
    open();
    const std::uint64_t token = grant();
    renew(at(100), 1, token, 0);
    log.leads = false;
    service.on_timeout(at(110));
    EXPECT_TRUE(log.waiting.empty());
    EXPECT_EQ(status_of(written(at(110)).at(0).as<wire::RenewReply>()), Status::not_leader);
    log.leads = true;
    log.current = Term{2};
    service.on_timeout(at(5000));
    for (const FakeLog::Stored& entry : log.waiting) EXPECT_EQ(entry.type, consensus::EntryType::tick);
}

TEST_F(ServiceTest, that_was_deposed_expires_nothing) {
    open();
    (void)grant();
    log.leads = false;
    service.poll(at(500));
    EXPECT_EQ(service.next_deadline(), kNever);
    service.on_timeout(at(2000));
    EXPECT_TRUE(log.waiting.empty());
}

TEST_F(ServiceTest, of_a_new_leader_judges_renewals_only_after_an_entry_of_its_own_term) {
    log.current = Term{2};
    renew(at(100), 1, 40, 0);  // the grant may be committed and not applied here yet
    EXPECT_FALSE(service.wants_to_send(kPeer));
    service.on_timeout(at(110));
    EXPECT_TRUE(log.waiting.empty());
    EXPECT_FALSE(service.wants_to_send(kPeer));
    (void)log.propose(at(111), consensus::EntryType::none, {}, {});
    commit(at(112));
    service.on_timeout(at(120));
    EXPECT_EQ(status_of(written(at(120)).at(0).as<wire::RenewReply>()), Status::lease_lost);
}

TEST_F(ServiceTest, proposes_one_tick_when_the_next_deadline_passes) {
    open();
    (void)grant();
    EXPECT_EQ(service.next_deadline(), at(1001));
    service.on_timeout(at(1000));
    EXPECT_TRUE(log.waiting.empty());
    service.on_timeout(at(1001));
    service.on_timeout(at(1002));
    ASSERT_EQ(log.waiting.size(), 1u);
    EXPECT_EQ(log.waiting[0].type, consensus::EntryType::tick);
    commit(at(1003));
    EXPECT_FALSE(replica.ledger.find_lease("pump") != kNoSlot);
    EXPECT_EQ(service.next_deadline(), kNever);
}

TEST_F(ServiceTest, reads_a_key_after_its_index_was_confirmed) {
    open();
    put(at(2), 1, "v");
    commit();
    (void)written(at(2));
    read(at(3), 1, ReadKind::key, "k");
    EXPECT_FALSE(service.wants_to_send(kPeer));
    log.confirmed_round = 1;
    service.poll(at(4));
    const auto records = written(at(4));
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(status_of(records[0].as<wire::ReadReply>()), Status::ok);
    EXPECT_EQ(records[0].as<wire::ReadReply>().revision(), replica.ledger.applied().value());
    EXPECT_EQ(records[0].bytes.size(), 1u);
    read(at(5), 2, ReadKind::key, "unknown");
    log.confirmed_round = 2;
    service.poll(at(5));
    EXPECT_EQ(status_of(written(at(5)).at(0).as<wire::ReadReply>()), Status::not_found);
}

TEST_F(ServiceTest, confirms_a_repeated_read_afresh) {
    read(at(3), (1ull << 32) | 1, ReadKind::key, "k");
    read(at(4), (1ull << 32) | 2, ReadKind::key, "k");
    log.confirmed_round = 1;  // of the first attempt
    service.poll(at(5));
    EXPECT_FALSE(service.wants_to_send(kPeer));
    log.confirmed_round = 2;
    service.poll(at(6));
    EXPECT_EQ(written(at(6)).at(0).as<wire::ReadReply>().request(), (1ull << 32) | 2);
}

TEST_F(ServiceTest, answers_no_read_of_a_session_before) {
    read(at(3), 1, ReadKind::key, "k");
    log.confirmed_round = 1;
    service.poll(at(4));
    EXPECT_TRUE(service.wants_to_send(kPeer));
    service.on_session_open(kPeer);  // of its next process, whose first read is another
    for (const wire::Record& record : written(at(5))) EXPECT_NE(record.type, wire::RecordType::read_reply);
    read(at(6), 1, ReadKind::key, "other");
    service.poll(at(6));
    EXPECT_FALSE(service.wants_to_send(kPeer)) << "what confirmed the read before";
    log.confirmed_round = 2;
    service.poll(at(7));
    EXPECT_EQ(written(at(7)).at(0).as<wire::ReadReply>().request(), 1u);
}

TEST_F(ServiceTest, reads_a_lease_or_the_index_below_which_every_token_is_dead) {
    open();
    const std::uint64_t token = grant();
    log.confirmed_round = 9;
    read(at(3), 1, ReadKind::lease, "pump");
    service.poll(at(3));
    const wire::ReadReply held = written(at(3)).at(0).as<wire::ReadReply>();
    EXPECT_EQ(held.revision(), token);
    EXPECT_EQ(held.detail(), kPeer.value());
    read(at(4), 2, ReadKind::lease, "free");
    service.poll(at(4));
    const wire::ReadReply gone = written(at(4)).at(0).as<wire::ReadReply>();
    EXPECT_EQ(status_of(gone), Status::not_found);
    EXPECT_EQ(gone.revision(), replica.ledger.applied().value());
}

TEST_F(ServiceTest, tells_a_new_session_and_whoever_asks_the_voters_with_their_addresses) {
    log.leads = false;
    service.on_session_open(kPeer);
    read(at(1), 0, ReadKind::voters, "");
    const auto records = written(at(1));
    ASSERT_EQ(records.size(), 1u);
    const VoterSetReader reader(records[0]);
    ASSERT_EQ(reader.count(), 2u);
    EXPECT_EQ(reader.voter(0).storage, 11u);
    EXPECT_EQ(reader.voter(0).address_length, 4u);
    EXPECT_FALSE(service.wants_to_send(kPeer));
}

TEST_F(ServiceTest, tells_the_voters_beside_a_read_that_waits) {
    read(at(3), 1, ReadKind::key, "k");
    read(at(3), 2, ReadKind::voters, "");
    service.owe_voters(kPeer);
    log.confirmed_round = 1;
    service.poll(at(4));
    EXPECT_EQ(written(at(4)).size(), 2u);
}

TEST_F(ServiceTest, survives_records_of_random_bytes) {
    Random random(5);
    std::array<std::byte, 64> noise{};
    for (int round = 0; round < 20'000; ++round) {
        for (std::byte& value : noise) value = static_cast<std::byte>(random.next_u32());
        const std::array types{wire::RecordType::command, wire::RecordType::renew, wire::RecordType::read};
        const wire::RecordType type = types[static_cast<std::size_t>(random.below(3))];
        const std::size_t fixed = static_cast<std::size_t>(random.below(33));
        const wire::Record record{type, std::span(noise).first(fixed),
                                  std::span(noise).subspan(32, static_cast<std::size_t>(random.below(33)))};
        EXPECT_TRUE(service.on_record(at(round), kPeer, record));
        (void)written(at(round));
        service.on_timeout(at(round));
        commit(at(round));
    }
}

}  // namespace
}  // namespace dunlin::ledger::test
