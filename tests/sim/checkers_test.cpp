#include <dunlin_sim/checkers/command_checker.hpp>
#include <dunlin_sim/checkers/coordination_checker.hpp>
#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <dunlin_sim/checkers/lease_checker.hpp>
#include <dunlin_sim/checkers/ledger_checker.hpp>
#include <dunlin_sim/run/run.hpp>
#include <sim/small_cluster.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

constexpr Instant kNow{seconds{1}};

// ---- Coordination ---------------------------------------------------------------------------------------------------------

Event event_of(EventKind kind, std::uint64_t value, std::uint64_t detail = 0) {
    Event event;
    event.kind = kind;
    event.value = value;
    event.detail = detail;
    return event;
}

class Coordination : public testing::Test {
  protected:
    explicit Coordination(std::size_t voters = 3) : cluster(1, voters) {
        cluster.world.start_all();
        EXPECT_TRUE(cluster.world.run_until([&] { return cluster.leader() < voters; }, seconds{10}));
    }
    void tell(std::size_t process, const Event& event) { checker.on_event(kNow, process, cluster.world.node(0), event); }
    void grant(std::size_t process, std::uint64_t token) {
        leases.on_event(kNow, process, cluster.world.node(0), event_of(EventKind::lease_held, token));
    }
    SmallCluster cluster;
    Verdict verdict;
    CoordinationChecker checker{cluster.world, verdict};
    LeaseChecker leases{cluster.world, verdict};
};

TEST_F(Coordination, catches_a_second_leader_of_a_term) {
    const auto leader = static_cast<std::uint64_t>(consensus::Role::leader);
    tell(0, event_of(EventKind::role_changed, leader, 77));
    tell(0, event_of(EventKind::role_changed, leader, 77));
    tell(1, event_of(EventKind::role_changed, leader, 78));
    EXPECT_TRUE(verdict.clean());
    tell(2, event_of(EventKind::role_changed, leader, 77));
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'one leader a term' violated at 1000000 us: term 77 has two leaders")));
}

TEST_F(Coordination, catches_voters_that_differ_at_one_index) {
    SmallCluster other(2, 3);
    other.world.start_all();
    const auto applied = [](SmallCluster& each) { return each.world.node(0).status(each.world.local_now(0)).applied; };
    ASSERT_TRUE(other.world.run_until([&] { return applied(other) >= LogIndex{2}; }, seconds{10}));
    ASSERT_TRUE(cluster.world.run_until([&] { return applied(cluster) >= LogIndex{2}; }, seconds{10}));
    ASSERT_EQ(applied(cluster), applied(other));
    checker.on_step(kNow, 0, cluster.world.node(0));
    EXPECT_TRUE(verdict.clean());
    checker.on_step(kNow, 1, other.world.node(0));
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'equal state at equal index' violated")));
}

TEST_F(Coordination, catches_a_commit_that_goes_back) {
    SmallCluster young(2, 3);
    young.world.start_all();
    const auto applied = [](SmallCluster& each) { return each.world.node(0).status(each.world.local_now(0)).applied; };
    ASSERT_TRUE(young.world.run_until([&] { return applied(young) >= LogIndex{1}; }, seconds{10}));
    ASSERT_TRUE(cluster.world.node(0).put(cluster.world.local_now(0), "key", bytes_of("value")).ok());
    cluster.world.touch(0);
    ASSERT_TRUE(cluster.world.run_until([&] { return applied(cluster) > applied(young); }, seconds{10}));
    ASSERT_TRUE(verdict.clean());
    checker.on_step(kNow, 0, young.world.node(0));
    ASSERT_FALSE(verdict.clean());
    EXPECT_THAT(verdict.violations()[0], StartsWith("'commit never goes back' violated"));
}

TEST_F(Coordination, catches_two_valid_holders_of_a_lease) {
    const auto hold = [&](std::size_t process, std::string_view name) {
        const auto lease = cluster.world.node(process).acquire_lease(cluster.world.local_now(process), name, seconds{5});
        EXPECT_TRUE(lease.ok());
        cluster.world.touch(process);
        EXPECT_TRUE(cluster.world.run_until(
            [&] { return cluster.world.node(process).lease(lease.value()).valid_for(cluster.world.local_now(process), Duration{0}); },
            seconds{10}));
        return lease.value();
    };
    const auto first = hold(0, "valve");
    const auto second = hold(1, "pump");
    leases.wants_lease(0, "valve", first);
    cluster.world.run_for(seconds{3});
    EXPECT_TRUE(verdict.clean());
    leases.wants_lease(1, "valve", second);  // as if this were the same lease
    cluster.world.run_for(seconds{3});
    ASSERT_FALSE(verdict.clean());
    EXPECT_THAT(verdict.violations()[0], StartsWith("'one valid holder a lease' violated"));
}

TEST_F(Coordination, catches_a_token_that_does_not_grow) {
    leases.wants_lease(0, "valve", {0, 1});
    leases.wants_lease(1, "valve", {0, 1});
    grant(0, 50);
    grant(0, 50);  // out of jeopardy
    grant(1, 51);
    EXPECT_TRUE(verdict.clean());
    grant(0, 50);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'tokens only grow' violated")));
}

TEST_F(Coordination, catches_a_node_that_stops) {
    tell(0, event_of(EventKind::failed, 0));
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'no node stops by itself' violated")));
}

TEST_F(Coordination, lets_a_node_stop_that_is_told_to_before_it_is_ready) {
    cluster.world.crash(0);
    cluster.world.restart(0);
    cluster.world.shut_down(0, seconds{1});
    EXPECT_FALSE(cluster.world.running(0));
    EXPECT_TRUE(verdict.clean());
    cluster.world.restart(0);
    Event stopped = event_of(EventKind::failed, 0);
    stopped.status = Status::shutting_down;
    tell(0, stopped);
    EXPECT_FALSE(verdict.clean());
}

// ---- Delivery -------------------------------------------------------------------------------------------------------------

class Delivery : public testing::Test {
  protected:
    // Process 0 is node 1 and publishes; process 1 is node 2 and listens.
    void publish(std::uint64_t number, PublishTraits traits = {}) {
        checker.published(kNow, {0, 0, number}, {.id = PublishId{100 + number}, .subscribers = 1}, traits);
    }
    void handle(std::uint64_t number, bus::Verdict said = bus::Verdict::accept, bool repeated = false, std::uint32_t life = 0,
                Token token = {}) {
        bus::Message message;
        message.maybe_repeated = repeated;
        message.token = token;
        checker.handled(kNow, {1, life, NodeId{2}, SubscriptionId{5}, durable}, {0, 0, number}, message, said);
    }
    void end(std::uint64_t number, Outcome outcome, Effect effect = Effect::none) {
        Event event = event_of(EventKind::outcome, 0);
        event.node = NodeId{2};
        event.subscription = SubscriptionId{5};
        event.id = 100 + number;
        event.outcome = outcome;
        event.effect = effect;
        checker.outcome(kNow, 0, 0, event);
    }
    void complete(std::uint64_t number, Status result) {
        checker.completed(kNow, {1, 0, NodeId{2}, SubscriptionId{5}, durable}, {0, 0, number}, bus::Verdict::accept, result);
    }
    void expect_violation(const std::string& invariant) {
        ASSERT_FALSE(verdict.clean());
        EXPECT_THAT(verdict.violations()[0], StartsWith("'" + invariant + "' violated"));
    }
    Verdict verdict;
    DeliveryChecker checker{verdict};
    bool durable = false;
};

TEST_F(Delivery, finds_nothing_wrong_where_nothing_is) {
    publish(1);
    handle(1, bus::Verdict::retry_later);
    handle(1);
    end(1, Outcome::acknowledged);
    checker.finish(kNow);
    EXPECT_TRUE(verdict.clean());
    EXPECT_EQ(checker.open(), 0U);
}

TEST_F(Delivery, catches_a_second_outcome) {
    publish(1);
    handle(1);
    end(1, Outcome::acknowledged);
    end(1, Outcome::acknowledged);
    expect_violation("one outcome a subscriber");
}

TEST_F(Delivery, catches_the_outcome_of_nothing) {
    end(1, Outcome::acknowledged);
    expect_violation("one outcome a subscriber");
}

TEST_F(Delivery, lets_a_restart_tell_an_outcome_again_but_not_another) {
    publish(1);
    handle(1, bus::Verdict::reject);
    end(1, Outcome::rejected, Effect::unknown);
    checker.crashed(kNow, 0, 0, NodeId{1}, true);
    checker.recovered(kNow, 0, 1);
    end(1, Outcome::rejected, Effect::unknown);
    EXPECT_TRUE(verdict.clean());
    checker.crashed(kNow, 0, 0, NodeId{1}, true);
    end(1, Outcome::fenced);
    expect_violation("one outcome a subscriber");
}

TEST_F(Delivery, catches_a_message_that_is_handled_twice) {
    publish(1);
    handle(1);
    handle(1);
    expect_violation("handled once and in order");
}

TEST_F(Delivery, catches_a_message_that_overtakes_one_in_hand) {
    publish(1);
    publish(2);
    publish(3);
    handle(1, bus::Verdict::pending);
    checker.completing({1, 0, NodeId{2}, SubscriptionId{5}, durable}, {0, 0, 1});
    complete(1, Status::ok);
    handle(2, bus::Verdict::pending);
    EXPECT_TRUE(verdict.clean());
    handle(3);
    expect_violation("handled once and in order");
}

TEST_F(Delivery, catches_messages_out_of_order) {
    publish(1);
    publish(2);
    handle(2);
    handle(1);
    expect_violation("handled once and in order");
}

TEST_F(Delivery, catches_a_repeat_that_does_not_say_so) {
    publish(1);
    handle(1);
    handle(1, bus::Verdict::accept, true, 1);
    EXPECT_TRUE(verdict.clean());
    handle(1, bus::Verdict::accept, false, 2);
    expect_violation("repeats are marked");
}

TEST_F(Delivery, catches_a_run_after_the_publisher_was_told_the_end) {
    publish(1);
    handle(1);
    end(1, Outcome::acknowledged);
    handle(1, bus::Verdict::accept, true, 1);
    expect_violation("what is settled stays settled");
}

TEST_F(Delivery, allows_that_run_where_publisher_and_subscriber_forgot_but_not_to_a_journal) {
    publish(1);
    handle(1);
    end(1, Outcome::acknowledged);
    checker.crashed(kNow, 0, 0, NodeId{1}, true);
    handle(1, bus::Verdict::accept, true, 1);
    EXPECT_TRUE(verdict.clean());
    durable = true;
    handle(1, bus::Verdict::accept, true, 2);
    expect_violation("what is settled stays settled");
}

TEST_F(Delivery, catches_an_acknowledgement_of_what_was_not_accepted) {
    publish(1);
    handle(1, bus::Verdict::reject);
    end(1, Outcome::acknowledged);
    expect_violation("acknowledged means accepted");
}

TEST_F(Delivery, catches_dead_letters_without_a_cause) {
    publish(1, {.lifetime = milliseconds{1}});
    end(1, Outcome::expired);
    publish(2, {.fenced = true});
    end(2, Outcome::fenced);
    EXPECT_TRUE(verdict.clean());
    for (const Outcome outcome : {Outcome::expired, Outcome::rejected, Outcome::fenced, Outcome::subscriber_gone, Outcome::peer_removed}) {
        Verdict fresh;
        DeliveryChecker other(fresh);
        other.published(kNow, {0, 0, 1}, {.id = PublishId{101}, .subscribers = 1}, {});
        Event event = event_of(EventKind::outcome, 0);
        event.id = 101;
        event.outcome = outcome;
        other.outcome(kNow, 0, 0, event);
        EXPECT_THAT(fresh.violations(), ElementsAre(StartsWith("'dead letters have a cause' violated"))) << to_string(outcome);
    }
}

TEST_F(Delivery, catches_an_end_without_effect_of_what_a_handler_had) {
    publish(1, {.lifetime = milliseconds{1}});
    handle(1, bus::Verdict::retry_later);
    end(1, Outcome::expired, Effect::none);
    expect_violation("no effect means no run");
}

TEST_F(Delivery, catches_a_publisher_that_gives_up_without_asking) {
    publish(1, {.lifetime = milliseconds{1}});
    publish(2, {.lifetime = milliseconds{1}});
    handle(1, bus::Verdict::retry_later);
    end(1, Outcome::expired, Effect::unknown);
    checker.finish(kNow);
    EXPECT_FALSE(verdict.clean());  // the second one has no outcome
    const std::size_t before = verdict.violations().size();
    end(2, Outcome::expired, Effect::unknown);
    checker.finish(kNow);
    ASSERT_EQ(verdict.violations().size(), before + 1);
    EXPECT_THAT(verdict.violations().back(), StartsWith("'the handler decides' violated"));
}

TEST_F(Delivery, catches_an_end_of_what_a_handler_has_in_hand) {
    publish(1, {.lifetime = milliseconds{1}});
    handle(1, bus::Verdict::pending);
    end(1, Outcome::expired, Effect::unknown);
    checker.finish(kNow);
    expect_violation("the handler decides");
}

TEST_F(Delivery, catches_a_message_that_is_taken_from_the_handler_unless_their_session_broke) {
    publish(1);
    handle(1, bus::Verdict::pending);
    checker.session_changed(kNow, 0, NodeId{2});
    complete(1, Status::not_found);
    EXPECT_TRUE(verdict.clean());
    Verdict fresh;
    DeliveryChecker other(fresh);
    other.published(kNow, {0, 0, 1}, {.id = PublishId{101}, .subscribers = 1}, {});
    other.completed(kNow, {1, 0, NodeId{2}, SubscriptionId{5}, durable}, {0, 0, 1}, bus::Verdict::accept, Status::not_found);
    EXPECT_THAT(fresh.violations(), ElementsAre(StartsWith("'the handler decides' violated")));
}

TEST_F(Delivery, catches_a_payload_that_has_changed) {
    publish(1);
    checker.payload_seen(kNow, {0, 0, 1}, false);
    expect_violation("payloads arrive as they left");
}

TEST_F(Delivery, takes_a_crash_of_the_subscriber_as_the_cause_of_its_being_gone) {
    publish(1);
    checker.crashed(kNow, 1, 0, NodeId{2}, false);
    end(1, Outcome::subscriber_gone);
    EXPECT_TRUE(verdict.clean());
}

TEST_F(Delivery, catches_what_expires_before_its_time) {
    publish(1, {.lifetime = seconds{1}});
    end(1, Outcome::expired);
    expect_violation("dead letters have a cause");
}

TEST_F(Delivery, catches_a_durable_subscriber_that_is_left_out) {
    for (const std::uint32_t id : {0x80000001U, 5U}) {  // durable, and not
        publish(id == 5 ? 2 : 1);
        Event event = event_of(EventKind::outcome, 0);
        event.node = NodeId{2};
        event.subscription = SubscriptionId{id};
        event.id = id == 5 ? 102 : 101;
        event.outcome = Outcome::rejected;
        event.effect = Effect::unknown;
        checker.handled(kNow, {1, 0, NodeId{2}, event.subscription, true}, {0, 0, event.id - 100}, {}, bus::Verdict::reject);
        static_cast<void>(checker.outcome(kNow, 0, 0, event));
    }
    EXPECT_TRUE(verdict.clean());
    checker.finish(kNow);
    expect_violation("durable means durable");
}

TEST_F(Delivery, takes_the_end_of_a_subscription_as_the_cause_of_its_being_gone) {
    publish(1);
    checker.unsubscribed(kNow, NodeId{2}, SubscriptionId{5});
    end(1, Outcome::subscriber_gone);
    EXPECT_TRUE(verdict.clean());
}

TEST_F(Delivery, catches_a_token_that_falls_at_a_fence) {
    publish(1, {.fenced = true});
    publish(2, {.fenced = true});
    handle(1, bus::Verdict::accept, false, 0, Token{9});
    handle(2, bus::Verdict::accept, false, 0, Token{8});
    expect_violation("tokens at a fence never fall");
}

TEST_F(Delivery, catches_what_left_before_it_was_durable) {
    publish(1);
    publish(2);
    handle(1);
    handle(2);
    checker.crashed(kNow, 0, 0, NodeId{1}, true);
    checker.recovered(kNow, 0, 1);
    expect_violation("durable before it leaves");
}

TEST_F(Delivery, catches_a_publish_without_an_outcome_unless_its_process_is_gone) {
    publish(1);
    EXPECT_EQ(checker.open(), 1U);
    checker.finish(kNow);
    expect_violation("nothing is lost");
    Verdict fresh;
    DeliveryChecker other(fresh);
    other.published(kNow, {0, 0, 1}, {.id = PublishId{101}, .subscribers = 1}, {});
    other.crashed(kNow, 0, 0, NodeId{1}, false);
    other.finish(kNow);
    EXPECT_TRUE(fresh.clean());
}

// ---- Ledger ---------------------------------------------------------------------------------------------------------------

class LedgerCalls : public testing::Test {
  protected:
    void put(std::uint32_t request, std::uint64_t number) { checker.put_started(kNow, 0, RequestId{request}, number); }
    void get(std::uint32_t request) { checker.get_started(kNow, 1, RequestId{request}); }
    void end(std::uint32_t process, std::uint32_t request, std::uint64_t value, Status status = Status::ok, Duration after = {}) {
        Event event = event_of(EventKind::request_done, 0);
        event.request = RequestId{request};
        event.status = status;
        if (status != Status::ok) event.effect = Effect::unknown;
        checker.ended(kNow + after, process, event, value);
    }
    Verdict verdict;
    LedgerChecker checker{verdict, seconds{5}};
};

TEST_F(LedgerCalls, catches_a_read_of_what_was_overwritten_before_it_began) {
    put(1, 1);
    end(0, 1, 0);
    put(2, 2);
    get(3);
    end(1, 3, 1);  // while the second put is under way both may be seen
    end(0, 2, 0);
    EXPECT_TRUE(verdict.clean());
    get(4);
    end(1, 4, 1);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'reads are linearizable' violated")));
}

TEST_F(LedgerCalls, catches_reads_that_go_back) {
    put(1, 1);
    get(2);
    end(1, 2, 1);
    get(3);
    end(1, 3, 0, Status::not_found);
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'reads are linearizable' violated")));
}

TEST_F(LedgerCalls, allows_a_put_of_unknown_end_at_any_time) {
    put(1, 1);
    end(0, 1, 0, Status::session_evicted);
    put(2, 2);
    end(0, 2, 0);
    get(3);
    end(1, 3, 1);
    EXPECT_TRUE(verdict.clean());
}

TEST_F(LedgerCalls, catches_a_call_that_takes_too_long_or_for_ever) {
    get(1);
    end(1, 1, 0, Status::timed_out, seconds{6});
    get(2);
    checker.finish(kNow + seconds{6});
    EXPECT_THAT(verdict.violations(),
                ElementsAre(StartsWith("'ledger calls end in time' violated"), StartsWith("'ledger calls end in time' violated")));
}

TEST_F(LedgerCalls, does_not_hold_a_process_that_stood_still_to_its_time) {
    get(1);
    checker.paused(1);
    end(1, 1, 0, Status::timed_out, seconds{6});
    EXPECT_TRUE(verdict.clean());
}

TEST_F(LedgerCalls, counts_the_wait_for_a_leader_from_the_last_answer) {
    checker.leaders(kNow, 1);
    checker.leaders(kNow, 0);
    for (const std::uint32_t request : {1, 2, 3}) get(request);
    checker.heard(kNow + milliseconds{900}, 1);
    end(1, 1, 0, Status::no_quorum, milliseconds{2500});
    checker.stopped(1);
    checker.leaders(kNow + seconds{5}, 1);
    EXPECT_TRUE(verdict.clean());
    checker.leaders(kNow, 0);
    get(4);
    end(1, 4, 0, Status::no_quorum, seconds{4});
    EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'no quorum is said' violated")));
}

// ---- Commands -------------------------------------------------------------------------------------------------------------

class Commands : public testing::Test {
  protected:
    void put(std::uint32_t process, std::uint64_t value) { checker.put_started(process, RequestId{1}, "key", value); }
    void get(std::uint32_t process) { checker.get_started(process, RequestId{1}, "key"); }
    void end(std::uint32_t process, std::uint64_t revision, std::uint64_t value = 0, Status status = Status::ok,
             Effect effect = Effect::none) {
        Event event = event_of(EventKind::request_done, revision);
        event.request = RequestId{1};
        event.status = status;
        event.effect = effect;
        EXPECT_TRUE(checker.ended(kNow, process, event, value));
    }
    void expect_violation(const std::string& invariant) {
        EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith("'" + invariant + "' violated")));
    }
    Verdict verdict;
    CommandChecker checker{verdict};
};

TEST_F(Commands, finds_nothing_wrong_where_nothing_is) {
    put(0, 7);
    get(1);
    end(1, 3, 7);  // seen before its caller knows
    end(0, 3);
    get(1);
    end(1, 3, 7);
    EXPECT_TRUE(verdict.clean());
    EXPECT_EQ(checker.puts(), 1U);
    EXPECT_EQ(checker.gets(), 2U);
}

TEST_F(Commands, catches_a_put_that_has_run_twice) {
    put(0, 7);
    get(1);
    end(1, 3, 7);
    end(0, 5);
    expect_violation("a command runs once");
}

TEST_F(Commands, allows_a_put_of_unknown_end_to_run_later_but_once) {
    put(0, 7);
    end(0, 0, 0, Status::session_evicted, Effect::unknown);
    get(1);
    end(1, 3, 7);
    EXPECT_TRUE(verdict.clean());
    EXPECT_EQ(checker.evicted(), 1U);
    get(1);
    end(1, 9, 7);
    expect_violation("a command runs once");
}

TEST_F(Commands, catches_a_put_that_ran_though_it_was_told_not_to_have) {
    put(0, 7);
    end(0, 0, 0, Status::session_evicted, Effect::none);
    get(1);
    end(1, 3, 7);
    expect_violation("what did not run leaves nothing");
}

TEST_F(Commands, catches_a_read_of_less_than_was_known_before_it_began) {
    put(0, 7);
    end(0, 3);
    get(1);
    end(1, 0, 0, Status::not_found);
    expect_violation("revisions follow calls");
}

TEST_F(Commands, catches_a_put_that_takes_effect_before_it_began) {
    put(0, 7);
    end(0, 3);
    put(0, 8);
    end(0, 2);
    expect_violation("revisions follow calls");
}

// ---- Whole runs -----------------------------------------------------------------------------------------------------------

TEST(Run, catches_a_cluster_that_has_not_healed_in_its_time) {
    RunPlan plan;
    plan.time = seconds{5};
    plan.network.loss_ppm = 500'000;
    plan.heal_time = Duration{1};
    const RunReport report = run(plan);
    EXPECT_THAT(report.violations, ElementsAre(StartsWith("'the cluster heals' violated")));
    EXPECT_FALSE(report.last_events.empty());
}

TEST(Run, gives_every_checker_that_always_has_occasion_something_to_check) {
    RunPlan plan;
    plan.time = seconds{20};
    plan.network.loss_ppm = 50'000;
    plan.faults.every[index_of(FaultKind::leader_crash)] = seconds{8};
    const RunReport report = run(plan);
    EXPECT_THAT(report.violations, ElementsAre());
    for (const Verdict::Tally& tally : report.checks) {
        EXPECT_TRUE(tally.checks > 0 || tally.occasion == Verdict::Occasion::rare) << tally.name;
    }
    EXPECT_EQ(run(plan).hash, report.hash);
}

}  // namespace
}  // namespace dunlin::sim
