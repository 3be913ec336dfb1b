#include "ledger/client_fixture.hpp"

#include <set>

namespace dunlin::ledger::test {
namespace {

TEST_F(ClientTest, opens_a_session_when_the_first_command_needs_it_and_then_runs_it) {
    ASSERT_TRUE(client.put(at(0), "k", bytes_of_text("v")).ok());
    const wire::Command opening = command(at(0), NodeId{1});
    EXPECT_EQ(opening.type(), static_cast<std::uint8_t>(CommandType::open_session));
    EXPECT_NE(opening.session(), 0u);
    EXPECT_TRUE(written(at(0), NodeId{1}).empty());
    reply(at(1), NodeId{1}, opening, Status::ok);
    const auto records = written(at(1), NodeId{1});
    ASSERT_EQ(records.size(), 1u);
    const wire::Command put = records[0].as<wire::Command>();
    EXPECT_EQ(put.sequence(), 1u);
    PutCommand body{};
    EXPECT_TRUE(decode(records[0].bytes, body));
    EXPECT_EQ(body.key, "k");
    reply(at(2), NodeId{1}, put, Status::ok, 12);
    RequestResult result{};
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.status, Status::ok);
    EXPECT_EQ(result.value, 12u);
    EXPECT_EQ(result.first_sent, at(1));
    EXPECT_FALSE(client.poll_result(Requester::application, result));
}

TEST_F(ClientTest, retries_the_same_sequence_under_a_fresh_attempt_at_another_voter) {
    open(at(0));
    ASSERT_TRUE(client.put(at(10), "k", bytes_of_text("v")).ok());
    const wire::Command first = command(at(10), NodeId{1});
    Instant now = client.next_deadline();
    EXPECT_EQ(now, at(260));
    client.on_timeout(now);
    EXPECT_EQ(client.target(), NodeId{2});
    now = client.next_deadline();
    client.on_timeout(now);
    const wire::Command second = command(now, NodeId{2});
    EXPECT_EQ(second.sequence(), first.sequence());
    EXPECT_EQ(second.session(), first.session());
    EXPECT_NE(second.attempt(), first.attempt());
    reply(now, NodeId{1}, first, Status::ok, 12);  // the answer to any attempt is the answer
    RequestResult result{};
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.first_sent, at(10));
}

TEST_F(ClientTest, asks_every_voter_in_the_time_of_a_short_quorum_wait) {
    Client hasty{{requests, values, 32}, {.quorum_wait = milliseconds{100}}, counters, random, events};
    hasty.set_voters(at(0), LogIndex{1}, voters);
    ASSERT_TRUE(hasty.put(at(0), "k", {}).ok());
    std::set<NodeId> asked;
    RequestResult result{};
    for (Instant now = at(0); !hasty.poll_result(Requester::application, result); now = hasty.next_deadline()) {
        hasty.on_timeout(now);
        Packet out;
        const NodeId to = hasty.target();
        hasty.write_records(now, to, out.writer());
        if (!out.writer().empty()) asked.insert(to);
    }
    EXPECT_EQ(result.status, Status::no_quorum);
    EXPECT_GE(asked.size(), 2u);
}

TEST_F(ClientTest, follows_the_hint_to_the_leader_at_once) {
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    reply(at(1), NodeId{1}, command(at(0), NodeId{1}), Status::not_leader, 0, NodeId{3});
    EXPECT_EQ(client.target(), NodeId{3});
    EXPECT_TRUE(client.wants_to_send(NodeId{3}));
}

TEST_F(ClientTest, does_not_bounce_for_ever_between_two_voters_that_name_each_other) {
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    NodeId here{1}, there{2};
    int bounces = 0;
    while (client.wants_to_send(here) && bounces < 50) {
        reply(at(1), here, command(at(1), here), Status::not_leader, 0, there);
        std::swap(here, there);
        ++bounces;
    }
    EXPECT_LE(bounces, 4);
}

TEST_F(ClientTest, ignores_a_refusal_of_an_earlier_attempt) {
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    const wire::Command first = command(at(0), NodeId{1});
    client.on_timeout(at(250));
    const Instant now = client.next_deadline();
    client.on_timeout(now);
    (void)command(now, NodeId{2});
    reply(now, NodeId{1}, first, Status::not_leader, 0, NodeId{3});
    EXPECT_EQ(client.target(), NodeId{2});
}

TEST_F(ClientTest, answers_no_quorum_when_no_voter_knows_a_leader_for_one_interval) {
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    Instant now = at(0);
    while (now < at(1000)) {
        const NodeId voter = client.target();
        if (client.wants_to_send(voter)) reply(now, voter, command(now, voter), Status::not_leader);
        now = client.next_deadline();
        client.on_timeout(now);
    }
    RequestResult result{};
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.status, Status::no_quorum);
    EXPECT_EQ(result.effect, Effect::none);
    EXPECT_EQ(now, at(1000));
}

TEST_F(ClientTest, answers_no_quorum_within_one_interval_though_followers_still_name_the_leader_that_died) {
    open(at(0));
    ASSERT_TRUE(client.put(at(10), "k", {}).ok());
    Instant now = at(10);
    RequestResult result{};
    while (!client.poll_result(Requester::application, result)) {
        ASSERT_LE(now, at(5000));
        const NodeId voter = client.target();
        if (client.wants_to_send(voter)) {
            const wire::Command sent = command(now, voter);
            if (voter != NodeId{1} && now < at(900)) reply(now, voter, sent, Status::not_leader, 0, NodeId{1});
        }
        now = client.next_deadline();
        client.on_timeout(now);
    }
    EXPECT_EQ(result.status, Status::no_quorum);
    EXPECT_EQ(result.effect, Effect::unknown);
    EXPECT_EQ(now, at(1010));
}

TEST_F(ClientTest, answers_no_quorum_at_once_while_the_last_call_ended_so_and_the_voter_asked_knows_no_leader_either) {
    Instant now = at(0);
    ASSERT_TRUE(client.get(now, "k").ok());
    ASSERT_EQ(run(now, at(1000))->status, Status::no_quorum);
    ASSERT_TRUE(client.read_lease(now, "l", Requester::fences).ok());
    for (const NodeId hint : {NodeId{}, NodeId{}, NodeId{3}}) {
        RequestResult result{};
        ASSERT_TRUE(client.get(now, "k").ok());
        const NodeId voter = client.target();
        for (const wire::Record& record : written(now, voter)) {
            const wire::ReadReply refusal(record.as<wire::Read>().request(), 0, 0, static_cast<std::uint8_t>(Status::not_leader), 0,
                                          hint.value(), 0);
            EXPECT_TRUE(client.on_record(now, voter, Built(wire::RecordType::read_reply, refusal).record));
        }
        EXPECT_FALSE(client.has_result(Requester::fences));  // it would be asked again at once
        EXPECT_EQ(client.poll_result(Requester::application, result), hint == NodeId{});
        EXPECT_EQ(result.status, hint == NodeId{} ? Status::no_quorum : Status::ok);
        EXPECT_NE(client.target(), voter);
    }
}

TEST_F(ClientTest, waits_for_a_leader_again_once_one_has_answered) {
    Instant now = at(0);
    ASSERT_TRUE(client.get(now, "k").ok());
    ASSERT_EQ(run(now, at(1000))->status, Status::no_quorum);
    ASSERT_TRUE(client.get(now, "k").ok());
    NodeId voter = client.target();
    reply_read(now, voter, written(now, voter).at(0).as<wire::Read>().request(), Status::ok, "v");
    RequestResult result{};
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    ASSERT_TRUE(client.get(now, "k").ok());
    voter = client.target();
    reply_read(now, voter, written(now, voter).at(0).as<wire::Read>().request(), Status::not_leader);
    EXPECT_FALSE(client.poll_result(Requester::application, result));
    EXPECT_EQ(run(now, now + seconds{1})->status, Status::no_quorum);
}

TEST_F(ClientTest, answers_no_quorum_when_nobody_can_be_reached_at_all) {
    ASSERT_TRUE(client.get(at(0), "k").ok());
    Instant now = at(0);
    const std::optional<RequestResult> result = run(now, at(1000));
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->status, Status::no_quorum);
}

TEST_F(ClientTest, ends_a_command_by_its_timeout_as_unknown_when_the_leader_answers_but_takes_nothing_more) {
    open(at(0));
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    Instant now = at(0);
    RequestResult result{};
    while (!client.poll_result(Requester::application, result)) {
        ASSERT_LE(now, at(5000));
        if (client.wants_to_send(NodeId{1})) reply(now, NodeId{1}, command(now, NodeId{1}), Status::busy);
        now = client.next_deadline();
        client.on_timeout(now);
    }
    EXPECT_EQ(result.status, Status::timed_out);
    EXPECT_EQ(result.effect, Effect::unknown);
    EXPECT_EQ(now, at(5000));
}

TEST_F(ClientTest, runs_commands_one_at_a_time_in_the_order_of_the_calls) {
    open(at(0));
    ASSERT_TRUE(client.put(at(0), "a", {}).ok());
    ASSERT_TRUE(client.put(at(0), "b", {}).ok());
    ASSERT_TRUE(client.get(at(0), "c").ok());
    const auto records = written(at(0), NodeId{1});
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].type, wire::RecordType::command);
    EXPECT_EQ(records[1].type, wire::RecordType::read);
    reply(at(1), NodeId{1}, records[0].as<wire::Command>(), Status::ok);
    EXPECT_EQ(command(at(1), NodeId{1}).sequence(), 3u);
}

TEST_F(ClientTest, keeps_the_order_of_the_calls_where_request_numbers_wrap) {
    open(at(0));
    ASSERT_TRUE(client.put(at(0), "a", {}).ok());
    for (Request& request : requests) {
        if (request.state == RequestState::active) request.id = RequestId{0xffff'ffff};
    }
    const Result<RequestId> later = client.put(at(0), "b", {});
    ASSERT_TRUE(later.ok());
    for (const std::string_view key : {"a", "b"}) {
        const auto records = written(at(0), NodeId{1});
        ASSERT_EQ(records.size(), 1u);
        PutCommand body{};
        ASSERT_TRUE(decode(records[0].bytes, body));
        EXPECT_EQ(body.key, key);
        reply(at(1), NodeId{1}, records[0].as<wire::Command>(), Status::ok);
    }
    RequestResult result{};
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.request, RequestId{0xffff'ffff});
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.request, later.value());
}

TEST_F(ClientTest, opens_another_session_for_a_command_that_cannot_have_run) {
    open(at(0));
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    const wire::Command put = command(at(0), NodeId{1});
    reply(at(1), NodeId{1}, put, Status::session_evicted, 80);
    const auto [session, as_of] = opening(at(1), NodeId{1});
    EXPECT_NE(session, put.session());
    EXPECT_EQ(as_of, 80u);
}

TEST_F(ClientTest, draws_another_session_as_of_the_index_told_where_its_opening_could_be_a_late_copy) {
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    const wire::Command first = command(at(0), NodeId{1});
    reply(at(1), NodeId{1}, first, Status::stale_sequence, 70);
    const auto [session, as_of] = opening(at(1), NodeId{1});
    EXPECT_NE(session, first.session());
    EXPECT_EQ(as_of, 70u);
    reply(at(2), NodeId{1}, first, Status::ok);  // late, and of no use any more
    EXPECT_TRUE(written(at(2), NodeId{1}).empty());
}

TEST_F(ClientTest, sends_every_copy_of_an_opening_with_the_same_index) {
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    reply(at(1), NodeId{1}, command(at(0), NodeId{1}), Status::stale_sequence, 70);
    const Opening first = opening(at(1), NodeId{1});
    EXPECT_EQ(first.as_of, 70u);
    client.on_timeout(at(251));
    const Instant now = client.next_deadline();
    client.on_timeout(now);
    EXPECT_EQ(opening(now, NodeId{2}), first);
}

TEST_F(ClientTest, says_session_evicted_of_a_command_that_may_have_run) {
    open(at(0));
    ASSERT_TRUE(client.put(at(0), "k", {}).ok());
    (void)command(at(0), NodeId{1});
    client.on_timeout(at(250));
    const Instant now = client.next_deadline();
    client.on_timeout(now);
    reply(now, NodeId{2}, command(now, NodeId{2}), Status::session_evicted);
    RequestResult result{};
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.status, Status::session_evicted);
    EXPECT_EQ(result.effect, Effect::unknown);
}

TEST_F(ClientTest, takes_a_read_answer_for_the_latest_attempt_only) {
    ASSERT_TRUE(client.get(at(0), "k").ok());
    const std::uint64_t first = written(at(0), NodeId{1}).at(0).as<wire::Read>().request();
    client.on_timeout(at(250));
    const Instant now = client.next_deadline();
    client.on_timeout(now);
    const std::uint64_t second = written(now, NodeId{2}).at(0).as<wire::Read>().request();
    EXPECT_NE(first, second);
    RequestResult result{};
    reply_read(now, NodeId{1}, first, Status::ok, "old");
    EXPECT_FALSE(client.poll_result(Requester::application, result));
    reply_read(now, NodeId{2}, second, Status::ok, "new");
    ASSERT_TRUE(client.poll_result(Requester::application, result));
    EXPECT_EQ(result.bytes.size(), 3u);
    EXPECT_EQ(std::to_integer<char>(result.bytes[0]), 'n');
    EXPECT_EQ(result.value, 5u);
}

TEST_F(ClientTest, refuses_bad_names_and_values_and_says_busy_when_every_slot_is_taken) {
    EXPECT_EQ(client.put(at(0), "", {}).status(), Status::invalid_argument);
    EXPECT_EQ(client.get(at(0), std::string_view("0123456789012345678901234567890123")).status(), Status::too_large);
    EXPECT_EQ(client.put(at(0), "k", std::array<std::byte, 33>{}).status(), Status::too_large);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(client.get(at(0), "k").ok());
    EXPECT_EQ(client.get(at(0), "k").status(), Status::busy);
}

TEST_F(ClientTest, keeps_an_answer_from_a_node_that_is_no_voter_out) {
    ASSERT_TRUE(client.get(at(0), "k").ok());
    const std::uint64_t request = written(at(0), NodeId{1}).at(0).as<wire::Read>().request();
    reply_read(at(1), NodeId{8}, request, Status::ok);
    EXPECT_FALSE(client.has_result(Requester::application));
}

TEST_F(ClientTest, a_closed_session_with_the_voter_asked_is_noticed_before_the_attempt_times_out) {
    ASSERT_TRUE(client.get(at(0), "k").ok());
    (void)written(at(0), NodeId{1});
    client.on_session_closed(at(5), NodeId{1});
    EXPECT_EQ(client.target(), NodeId{2});
    EXPECT_LE(client.next_deadline(), at(5 + 20));
}

TEST_F(ClientTest, passes_over_a_voter_that_keeps_silent_until_it_is_due_for_a_probe_and_tells_both) {
    for (int i = 0; i < 3; ++i) client.on_silence(at(i), NodeId{2});
    EXPECT_EQ(client.circuit(NodeId{2}), resilience::CircuitState::open);
    const Event opened = events.pop();
    EXPECT_EQ(opened.kind, EventKind::circuit_opened);
    EXPECT_EQ(opened.node, NodeId{2});
    ASSERT_EQ(client.target(), NodeId{1});
    client.on_silence(at(3), NodeId{1});
    EXPECT_EQ(client.target(), NodeId{3});
    client.on_silence(at(600), NodeId{3});  // the first pause is at most half a second
    client.on_silence(at(600), NodeId{1});
    ASSERT_EQ(client.target(), NodeId{2});
    ASSERT_TRUE(client.get(at(600), "k").ok());
    const auto records = written(at(600), NodeId{2});
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(client.circuit(NodeId{2}), resilience::CircuitState::half_open);
    reply_read(at(601), NodeId{2}, records[0].as<wire::Read>().request(), Status::not_leader);
    EXPECT_EQ(client.circuit(NodeId{2}), resilience::CircuitState::closed);  // a refusal is an answer
    EXPECT_EQ(events.pop().kind, EventKind::circuit_closed);
    EXPECT_EQ(counters.get(Counter::circuits_half_opened), 1U);
}

TEST_F(ClientTest, asks_whom_it_must_where_every_circuit_is_open) {
    for (int i = 0; i < 9; ++i) client.on_silence(at(i), NodeId{static_cast<std::uint16_t>(1 + i % 3)});
    for (const NodeId voter : voters) EXPECT_EQ(client.circuit(voter), resilience::CircuitState::open);
    ASSERT_TRUE(client.get(at(10), "k").ok());
    EXPECT_EQ(written(at(10), client.target()).size(), 1U);
}

TEST_F(ClientTest, follows_a_hint_to_a_voter_whose_circuit_is_open) {
    for (int i = 0; i < 3; ++i) client.on_silence(at(i), NodeId{2});
    client.on_not_leader(at(4), NodeId{1}, NodeId{2});
    EXPECT_EQ(client.target(), NodeId{2});
}

TEST_F(ClientTest, a_session_with_a_voter_makes_its_probe_due) {
    for (int i = 0; i < 8; ++i) client.on_silence(at(i * 10'000), NodeId{2});  // long pauses by now
    client.on_session_open(at(70'001), NodeId{2});
    client.on_silence(at(70'001), NodeId{1});
    EXPECT_EQ(client.target(), NodeId{2});
}

TEST_F(ClientTest, repeats_no_more_than_its_budget_however_many_calls_are_refused) {
    std::uint32_t sent = 0;
    std::uint32_t calls = 4;
    Instant now = at(0);
    for (const char* key : {"a", "b", "c", "d"}) ASSERT_TRUE(client.get(now, key).ok());
    while (now < at(4000)) {
        for (const wire::Record& record : written(now, client.target())) {
            ++sent;
            reply_read(now, client.target(), record.as<wire::Read>().request(), Status::not_leader);
        }
        now += milliseconds{1};
        client.on_timeout(now);
        RequestResult result{};
        while (client.poll_result(Requester::application, result)) {}
        while (client.get(now, "again").ok()) ++calls;
    }
    EXPECT_LE(sent - calls, 20U + 40 + calls / 10 + 1);
    EXPECT_GT(counters.get(Counter::retry_budget_waits), 0U);
}

}  // namespace
}  // namespace dunlin::ledger::test
