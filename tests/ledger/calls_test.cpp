// Client, holder and service together, over a network that loses packets.
#include "fake_log.hpp"
#include "packets.hpp"

#include <dunlin/ledger/lease_holder.hpp>
#include <dunlin/ledger/service.hpp>

#include <gtest/gtest.h>

#include <string>

namespace dunlin::ledger::test {
namespace {

struct Member {
    explicit Member(std::uint16_t id) : node(id), random(id) { client.set_voters(Instant{}, LogIndex{1}, std::array{NodeId{1}}); }
    NodeId node;
    std::array<Request, 4> requests{};
    std::array<std::byte, 128> values{};
    std::array<Event, 16> event_slots{};
    std::array<HeldLease, 2> leases{};
    Counters counters;
    Random random;
    EventQueue events{event_slots, counters};
    Client client{{requests, values, 32}, {}, counters, random, events};
    LeaseHolder holder{leases, {.clock_rate_bound_ppm = 0, .guard = {}}, client, counters, random, events};
};

struct Calls : testing::Test {
    // One step of a millisecond: every packet is lost with a probability of `loss` percent.
    void step() {
        now += milliseconds{1};
        for (Member* member : members) {
            member->client.on_timeout(now);
            member->holder.on_timeout(now);
            exchange(*member);
        }
        service.on_timeout(now);
        while (!log.waiting.empty()) {
            const FakeLog::Stored entry = log.waiting.front();
            log.waiting.pop_front();
            const consensus::Entry view{entry.index, entry.term, entry.time, entry.type, entry.payload};
            const ApplyResult result = replica.ledger.apply(view);
            ASSERT_EQ(result.replica, Status::ok);
            service.on_applied(now, view, result);
        }
        log.confirmed_round = log.read_round;
        service.poll(now);
    }
    void exchange(Member& member) {
        Packet there, back;
        member.client.write_records(now, NodeId{1}, there.writer());
        member.holder.write_records(now, NodeId{1}, there.writer());
        if (!there.writer().empty() && random.below(100) >= loss) {
            for (const wire::Record& record : there.records()) (void)service.on_record(now, member.node, record);
        }
        service.write_records(now, member.node, back.writer());
        if (back.writer().empty() || random.below(100) < loss) return;
        for (const wire::Record& record : back.records()) {
            if (!member.client.on_record(now, NodeId{1}, record)) (void)member.holder.on_record(now, NodeId{1}, record);
        }
        member.holder.take_results(now);
    }

    Instant now = Instant{} + seconds{1};
    std::uint64_t loss = 0;
    Random random{9};
    FakeLog log;
    Replica replica;
    std::array<ServiceCall, 8 + kServiceRefusals> calls{};
    std::array<ServiceRenewal, 16> renewals{};
    std::array<std::byte, 2> bitmap{};
    Service service{{calls, renewals, bitmap}, {}, replica.ledger, log.port(), replica.counters};
    Member one{7}, two{8};
    std::array<Member*, 2> members{&one, &two};
};

TEST_F(Calls, run_exactly_once_though_half_of_all_packets_are_lost) {
    loss = 50;
    for (std::uint64_t i = 1; i <= 50; ++i) {
        const std::string value = std::to_string(i);
        ASSERT_TRUE(one.client.put(now, "k", bytes_of_text(value)).ok());
        RequestResult result{};
        while (!one.client.poll_result(Requester::application, result)) step();
        EXPECT_TRUE(result.status == Status::ok || result.effect == Effect::unknown);
    }
    EXPECT_LE(replica.counters.get(Counter::commands_applied), 50u);
    EXPECT_GT(replica.counters.get(Counter::commands_repeated), 5u);
}

TEST_F(Calls, a_lease_has_one_holder_at_a_time_and_passes_on_when_it_is_released) {
    loss = 20;
    const LeaseHandle first = one.holder.acquire(now, "pump", seconds{2}).value();
    while (one.holder.view(first).state != LeaseState::held) step();
    const LeaseHandle second = two.holder.acquire(now, "pump", seconds{2}).value();
    for (int i = 0; i < 10'000; ++i) {
        step();
        EXPECT_FALSE(one.holder.view(first).valid_for(now, {}) && two.holder.view(second).valid_for(now, {}));
    }
    EXPECT_EQ(one.holder.held(now), 1u);
    EXPECT_GT(replica.counters.get(Counter::leases_renewed), 5u);
    const Token token = one.holder.view(first).token;
    one.holder.release(now, first);
    for (int i = 0; i < 3'000 && two.holder.held(now) == 0; ++i) step();
    EXPECT_EQ(two.holder.held(now), 1u);
    EXPECT_GT(two.holder.view(second).token, token);
    for (int i = 0; i < 3'000 && !one.holder.idle(); ++i) step();  // the answer may be lost
    EXPECT_TRUE(one.holder.idle());
}

TEST_F(Calls, a_holder_that_falls_silent_is_followed_only_after_its_validity) {
    const LeaseHandle first = one.holder.acquire(now, "pump", seconds{1}).value();
    const LeaseHandle second = two.holder.acquire(now, "pump", seconds{1}).value();
    while (one.holder.view(first).state != LeaseState::held) step();
    members = {&two, &two};
    while (two.holder.view(second).state != LeaseState::held) {
        step();
        ASSERT_FALSE(one.holder.view(first).valid_for(now, {}) && two.holder.view(second).valid_for(now, {}));
    }
    EXPECT_FALSE(one.holder.view(first).valid_for(now, {}));
}

}  // namespace
}  // namespace dunlin::ledger::test
