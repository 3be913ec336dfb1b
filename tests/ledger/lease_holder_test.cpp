#include "packets.hpp"
#include "replica.hpp"

#include <dunlin/ledger/lease_holder.hpp>

#include <gtest/gtest.h>

namespace dunlin::ledger::test {
namespace {

constexpr Instant at(std::int64_t milli) { return Instant{} + milliseconds{10'000 + milli}; }
constexpr NodeId kVoter{1};

TEST(LeaseValidity, is_the_ttl_less_both_rate_bounds_and_the_guard_rounded_down) {
    EXPECT_EQ(lease_validity(seconds{10}, 0, 0, {}), seconds{10});
    EXPECT_EQ(lease_validity(seconds{10}, 1000, 1000, milliseconds{5}), microseconds{9'980'010 - 5'000});
    EXPECT_EQ(lease_validity(seconds{3600}, 100'000, 100'000, {}), microseconds{2'916'000'000});
    EXPECT_EQ(lease_validity(milliseconds{100}, 0, 0, milliseconds{200}), Duration::zero());
    EXPECT_EQ(lease_validity(seconds{10}, 1'000'000, 0, {}), Duration::zero());
    EXPECT_EQ(lease_validity(microseconds{999}, 1, 0, {}), microseconds{998});
}

struct Holder : testing::Test {
    Holder() { client.set_voters(at(0), LogIndex{1}, std::array{kVoter, NodeId{2}}); }

    std::vector<wire::Record> written(Instant now, NodeId to = kVoter) {
        packet.emplace();
        client.write_records(now, to, packet->writer());
        holder.write_records(now, to, packet->writer());
        return packet->writer().empty() ? std::vector<wire::Record>{} : packet->records();
    }
    void answer(Instant now, const wire::Command& to, Status status, std::uint64_t value = 0, std::uint64_t detail = 0) {
        const wire::CommandReply reply(to.session(), to.sequence(), value, detail, to.attempt(), static_cast<std::uint8_t>(status), 0, 1);
        (void)client.on_record(now, kVoter, Built(wire::RecordType::command_reply, reply).record);
        holder.take_results(now);
    }
    void answer(Instant now, const wire::Renew& to, Status status, NodeId leader = kVoter) {
        const wire::RenewReply reply(to.request(), to.token(), static_cast<std::uint8_t>(status), 0, leader.value(), 0);
        EXPECT_TRUE(holder.on_record(now, kVoter, Built(wire::RecordType::renew_reply, reply).record));
    }
    // Acquires "pump" for 1 s: transmitted at 0 ms, answered at `answered_ms`; token 40, slot 3, voters exact.
    void grant(std::int64_t answered_ms = 0) {
        handle = holder.acquire(at(-1), "pump", seconds{1}).value();
        answer(at(-1), written(at(-1)).at(0).as<wire::Command>(), Status::ok);  // open_session
        answer(at(answered_ms), written(at(0)).at(0).as<wire::Command>(), Status::ok, 40, AcquireDetail{3, 0}.packed());
    }
    wire::Renew renewal(Instant now, NodeId to = kVoter) {
        const auto records = written(now, to);
        EXPECT_EQ(records.size(), 1u);
        EXPECT_EQ(records.at(0).type, wire::RecordType::renew);
        return records.at(0).as<wire::Renew>();
    }
    LeaseView view() const { return holder.view(handle); }
    std::vector<EventKind> told() {
        std::vector<EventKind> kinds;
        while (!events.empty()) kinds.push_back(events.pop().kind);
        return kinds;
    }
    // Both timers until `end`, with nothing sent.
    void idle_until(Instant end) {
        while (std::min(holder.next_deadline(), client.next_deadline()) <= end) {
            const Instant now = std::min(holder.next_deadline(), client.next_deadline());
            client.on_timeout(now);
            holder.on_timeout(now);
        }
    }

    std::array<Request, 4> requests{};
    std::array<std::byte, 128> values{};
    std::array<Event, 16> event_slots{};
    std::array<HeldLease, 2> leases{};
    Counters counters;
    Random random{1};
    EventQueue events{event_slots, counters};
    Client client{{requests, values, 32}, {}, counters, random, events};
    LeaseHolder holder{leases, {.clock_rate_bound_ppm = 0, .guard = {}}, client, counters, random, events};
    LeaseHandle handle{};
    std::optional<Packet> packet;
};

TEST_F(Holder, counts_validity_from_the_first_transmission_not_from_the_reply) {
    grant(400);
    EXPECT_EQ(view().state, LeaseState::held);
    EXPECT_EQ(view().token, Token{40});
    EXPECT_EQ(view().key, lease_key("pump"));
    EXPECT_EQ(view().valid_until, at(1000));
    EXPECT_TRUE(view().valid_for(at(980), milliseconds{20}));
    EXPECT_FALSE(view().valid_for(at(981), milliseconds{20}));
}

TEST_F(Holder, takes_both_clocks_and_the_guard_into_account) {
    LeaseHolder careful(leases, {.clock_rate_bound_ppm = 1000, .guard = milliseconds{5}}, client, counters, random, events);
    handle = careful.acquire(at(-1), "pump", seconds{1}).value();
    answer(at(-1), written(at(-1)).at(0).as<wire::Command>(), Status::ok);
    const wire::Command acquire = written(at(0)).at(0).as<wire::Command>();
    const wire::CommandReply reply(acquire.session(), acquire.sequence(), 40, AcquireDetail{3, 2000}.packed(), acquire.attempt(), 0, 0, 1);
    (void)client.on_record(at(1), kVoter, Built(wire::RecordType::command_reply, reply).record);
    careful.take_results(at(1));
    EXPECT_EQ(careful.view(handle).valid_until - at(0), lease_validity(seconds{1}, 1000, 2000, milliseconds{5}));
}

TEST_F(Holder, counts_an_acquire_that_was_retried_from_its_first_transmission) {
    handle = holder.acquire(at(-1), "pump", seconds{1}).value();
    answer(at(-1), written(at(-1)).at(0).as<wire::Command>(), Status::ok);
    (void)written(at(0));
    client.on_timeout(at(250));
    const Instant again = client.next_deadline();
    client.on_timeout(again);
    const wire::Command retry = written(again, client.target()).at(0).as<wire::Command>();
    const wire::CommandReply reply(retry.session(), retry.sequence(), 40, 3, retry.attempt(), 0, 0, 1);
    (void)client.on_record(again, client.target(), Built(wire::RecordType::command_reply, reply).record);
    holder.take_results(again);
    EXPECT_EQ(view().valid_until, at(1000));
}

TEST_F(Holder, renews_at_a_third_of_the_ttl_and_counts_from_the_renewals_first_transmission) {
    grant();
    EXPECT_EQ(holder.next_deadline(), at(0) + microseconds{333'333});
    holder.on_timeout(at(340));
    const wire::Renew first = renewal(at(340));
    EXPECT_EQ(first.token(), 40u);
    EXPECT_EQ(first.slot(), 3u);
    holder.on_timeout(at(465));
    const wire::Renew retry = renewal(at(465));
    EXPECT_EQ(retry.request(), first.request());
    answer(at(470), retry, Status::ok);
    EXPECT_EQ(view().valid_until, at(1340));
}

TEST_F(Holder, is_in_jeopardy_once_half_of_the_validity_went_without_an_acknowledged_renewal_and_recovers) {
    grant();
    idle_until(at(499));
    EXPECT_EQ(view().state, LeaseState::held);
    holder.on_timeout(at(500));
    EXPECT_EQ(view().state, LeaseState::jeopardy);
    EXPECT_TRUE(view().valid_for(at(500), {}));
    answer(at(610), renewal(at(600)), Status::ok);
    EXPECT_EQ(view().state, LeaseState::held);
    EXPECT_EQ(view().valid_until, at(1600));
    EXPECT_EQ(told(), (std::vector{EventKind::lease_held, EventKind::lease_jeopardy, EventKind::lease_held}));
}

TEST_F(Holder, has_lost_the_lease_when_validity_ends_and_wants_it_again) {
    grant();
    idle_until(at(1001));
    EXPECT_EQ(view().state, LeaseState::lost);
    EXPECT_FALSE(view().valid_for(at(1), {}));
    EXPECT_EQ(told(), (std::vector{EventKind::lease_held, EventKind::lease_jeopardy, EventKind::lease_lost}));
    const auto records = written(at(1001), client.target());
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].as<wire::Command>().type(), static_cast<std::uint8_t>(CommandType::acquire));
}

TEST_F(Holder, that_was_paused_past_its_lease_is_not_valid_even_before_its_timers_run) {
    grant();
    EXPECT_FALSE(view().valid_for(at(60'000), {}));
}

TEST_F(Holder, that_was_paused_does_not_believe_an_acknowledgement_that_waited_for_it) {
    grant();
    holder.on_timeout(at(340));
    const wire::Renew sent = renewal(at(340));
    answer(at(1100), sent, Status::ok);  // valid until 1340, but a gap was open since 1000
    EXPECT_EQ(view().state, LeaseState::lost);
}

TEST_F(Holder, believes_no_acknowledgement_of_another_token_or_request) {
    grant();
    holder.on_timeout(at(340));
    const wire::Renew sent = renewal(at(340));
    answer(at(350), wire::Renew(sent.request(), 39, 3, 0, 0), Status::ok);
    answer(at(350), wire::Renew(sent.request() + 1, 40, 3, 0, 0), Status::ok);
    EXPECT_EQ(view().valid_until, at(1000));
}

TEST_F(Holder, believes_no_answer_of_a_node_that_is_no_voter) {
    grant();
    holder.on_timeout(at(340));
    const wire::Renew sent = renewal(at(340));
    for (const Status status : {Status::lease_lost, Status::ok, Status::not_leader}) {
        const wire::RenewReply reply(sent.request(), sent.token(), static_cast<std::uint8_t>(status), 0, 2, 0);
        EXPECT_TRUE(holder.on_record(at(350), NodeId{8}, Built(wire::RecordType::renew_reply, reply).record));
        EXPECT_EQ(view().state, LeaseState::held);
        EXPECT_EQ(view().valid_until, at(1000));
        EXPECT_EQ(client.target(), kVoter);
    }
}

TEST_F(Holder, loses_the_lease_at_once_when_the_ledger_says_so) {
    grant();
    holder.on_timeout(at(340));
    answer(at(350), renewal(at(340)), Status::lease_lost);
    EXPECT_EQ(view().state, LeaseState::lost);
    EXPECT_FALSE(view().valid_for(at(350), {}));
}

TEST_F(Holder, asks_the_new_leader_under_the_same_request) {
    grant();
    holder.on_timeout(at(340));
    const wire::Renew sent = renewal(at(340));
    answer(at(341), sent, Status::not_leader, NodeId{2});
    EXPECT_EQ(client.target(), NodeId{2});
    const Instant now = holder.next_deadline();
    EXPECT_LE(now, at(360));
    holder.on_timeout(now);
    const auto records = written(now, NodeId{2});
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].as<wire::Renew>().request(), sent.request());
}

TEST_F(Holder, asks_the_next_voter_where_a_renewal_cannot_even_be_sent_to_the_target) {
    client.set_voters(at(0), LogIndex{2}, std::array{kVoter, NodeId{2}, NodeId{3}});
    grant();
    client.on_session_closed(at(300), kVoter);
    EXPECT_EQ(client.target(), NodeId{2});  // there is no session with it, so nothing is written
    idle_until(at(800));
    EXPECT_EQ(client.target(), NodeId{3});
    EXPECT_EQ(renewal(at(800), NodeId{3}).token(), 40u);
}

TEST_F(Holder, ends_validity_before_a_release_is_sent) {
    grant();
    holder.release(at(100), handle);
    EXPECT_FALSE(view().valid_for(at(100), {}));
    EXPECT_FALSE(holder.idle());
    const auto records = written(at(100));
    ASSERT_EQ(records.size(), 1u);
    ReleaseCommand body{};
    ASSERT_TRUE(decode(records[0].bytes, body));
    EXPECT_EQ(body.token, Token{40});
    EXPECT_EQ(holder.acquire(at(100), "pump", seconds{1}).status(), Status::busy);
    answer(at(101), records[0].as<wire::Command>(), Status::ok);
    EXPECT_TRUE(holder.idle());
}

TEST_F(Holder, releases_at_once_also_right_after_it_has_asked_to_renew) {
    grant();
    idle_until(at(334));
    (void)renewal(at(334));
    holder.release(at(335), handle);
    const auto records = written(at(335));
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].as<wire::Command>().type(), static_cast<std::uint8_t>(CommandType::release));
}

TEST_F(Holder, releases_a_grant_that_comes_after_it_was_no_longer_wanted) {
    handle = holder.acquire(at(0), "pump", seconds{1}).value();
    answer(at(0), written(at(0)).at(0).as<wire::Command>(), Status::ok);
    const wire::Command acquire = written(at(0)).at(0).as<wire::Command>();
    holder.release_all(at(1));
    answer(at(2), acquire, Status::ok, 40, 3);
    EXPECT_FALSE(view().valid_for(at(2), {}));
    EXPECT_TRUE(told().empty());
    const auto records = written(at(2));
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].as<wire::Command>().type(), static_cast<std::uint8_t>(CommandType::release));
}

TEST_F(Holder, gives_up_releasing_when_the_lease_has_run_out_by_itself) {
    grant();
    holder.release(at(100), handle);
    idle_until(at(1100));
    EXPECT_TRUE(holder.idle());
}

TEST_F(Holder, waits_for_a_lease_that_another_holds_and_asks_again) {
    handle = holder.acquire(at(0), "pump", seconds{1}).value();
    answer(at(0), written(at(0)).at(0).as<wire::Command>(), Status::ok);
    answer(at(1), written(at(0)).at(0).as<wire::Command>(), Status::lease_held, 300'000, 7);
    EXPECT_EQ(view().state, LeaseState::waiting);
    EXPECT_EQ(view().refused, Status::lease_held);
    const Instant now = holder.next_deadline();
    EXPECT_GE(now, at(151));
    EXPECT_LE(now, at(301));
    holder.on_timeout(now);
    EXPECT_EQ(written(now).size(), 1u);
}

TEST_F(Holder, refuses_what_cannot_be_a_lease_and_a_name_that_it_wants_already) {
    EXPECT_EQ(holder.acquire(at(0), "", seconds{1}).status(), Status::invalid_argument);
    EXPECT_EQ(holder.acquire(at(0), "a", milliseconds{99}).status(), Status::invalid_argument);
    EXPECT_EQ(holder.acquire(at(0), "0123456789012345678901234567890123", seconds{1}).status(), Status::too_large);
    EXPECT_TRUE(holder.acquire(at(0), "a", seconds{1}).ok());
    EXPECT_EQ(holder.acquire(at(0), "a", seconds{1}).status(), Status::invalid_argument);
    EXPECT_TRUE(holder.acquire(at(0), "b", seconds{1}).ok());
    EXPECT_EQ(holder.acquire(at(0), "c", seconds{1}).status(), Status::table_full);
}

}  // namespace
}  // namespace dunlin::ledger::test
