#include <dunlin_sim/checkers/delivery_checker.hpp>
#include <sim/checker_input.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

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

}  // namespace
}  // namespace dunlin::sim
