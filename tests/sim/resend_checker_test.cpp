#include <dunlin_sim/checkers/resend_checker.hpp>
#include <sim/checker_input.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

constexpr SubscriptionId kDurable = durable_subscription(6);

class Resends : public testing::Test {
  protected:
    Resends() {
        checker.published(2, effect, {.id = PublishId{7}, .subscribers = 1});
        checker.published(3, effect, {.id = PublishId{7}, .subscribers = 1});
    }
    void run(std::uint32_t life, bus::Verdict said, bool maybe_repeated = false, SubscriptionId subscription = kDurable,
             Instant at = kNow) {
        bus::Message message;
        message.maybe_repeated = maybe_repeated;
        checker.handled(at, {1, life, NodeId{2}, subscription, is_durable(subscription)}, effect, message, said);
    }
    std::uint64_t tell(std::uint32_t process, Outcome outcome) {
        Event event{.kind = EventKind::outcome};
        event.id = 7;
        event.node = NodeId{2};
        event.subscription = kDurable;
        event.outcome = outcome;
        return checker.outcome(kNow, process, event);
    }
    void expect_violation(const char* invariant) { EXPECT_THAT(verdict.violations(), ElementsAre(StartsWith(invariant))); }
    Verdict verdict;
    ResendChecker checker{verdict};
    std::uint64_t effect = checker.wanted(kNow + seconds{5});
};

TEST_F(Resends, may_be_told_of_an_effect_that_was_had_once) {
    EXPECT_EQ(checker.open(), 2U);
    run(0, bus::Verdict::retry_later);
    run(0, bus::Verdict::accept);
    EXPECT_EQ(tell(2, Outcome::acknowledged), effect);
    EXPECT_EQ(tell(3, Outcome::acknowledged), effect);
    EXPECT_EQ(tell(4, Outcome::acknowledged), 0U);
    EXPECT_EQ(checker.open(), 0U);
    EXPECT_TRUE(verdict.clean());
}

TEST_F(Resends, have_their_effect_once_in_a_life) {
    run(0, bus::Verdict::accept);
    run(0, bus::Verdict::accept, true);
    expect_violation("'one effect a key' violated");
}

// Of a copy with a later deadline it is known only when somebody was told.
TEST_F(Resends, have_it_once_until_the_latest_deadline_of_those_copies_that_were_told_of_it) {
    checker.prolong(effect, kNow + seconds{20});
    checker.published(4, effect, {.id = PublishId{7}, .subscribers = 1});
    run(0, bus::Verdict::accept);
    tell(2, Outcome::acknowledged);
    run(1, bus::Verdict::accept, false, kDurable, kNow + seconds{6});
    EXPECT_TRUE(verdict.clean());
    tell(4, Outcome::acknowledged);
    run(2, bus::Verdict::accept, true, kDurable, kNow + seconds{21});
    EXPECT_TRUE(verdict.clean());
    run(3, bus::Verdict::accept, true, kDurable, kNow + seconds{19});
    expect_violation("'one effect a key' violated");
}

TEST_F(Resends, have_it_once_for_each_subscription) {
    run(0, bus::Verdict::accept);
    run(0, bus::Verdict::accept, false, SubscriptionId{3});
    run(1, bus::Verdict::accept, false, SubscriptionId{3});
    EXPECT_TRUE(verdict.clean());
}

TEST_F(Resends, do_not_have_it_again_once_somebody_was_told) {
    run(0, bus::Verdict::accept);
    (void)tell(2, Outcome::acknowledged);
    run(1, bus::Verdict::accept, true);
    expect_violation("'one effect a key' violated");
}

TEST_F(Resends, say_so_when_they_have_it_again_after_a_crash) {
    run(0, bus::Verdict::accept);
    run(1, bus::Verdict::accept, true);
    EXPECT_TRUE(verdict.clean());
    run(2, bus::Verdict::accept);
    expect_violation("'repeats of a key are marked' violated");
}

TEST_F(Resends, are_told_of_nothing_that_was_not_had) {
    run(0, bus::Verdict::pending);
    (void)tell(2, Outcome::acknowledged);
    expect_violation("'told means had' violated");
}

TEST_F(Resends, of_a_publisher_that_goes_on_from_its_journal_are_left_alone) {
    run(0, bus::Verdict::accept);
    checker.crashed(2, true);
    run(0, bus::Verdict::accept);
    EXPECT_TRUE(verdict.clean());
    EXPECT_EQ(checker.open(), 1U);
    checker.crashed(3, false);
    EXPECT_EQ(tell(3, Outcome::acknowledged), 0U);
}

}  // namespace
}  // namespace dunlin::sim
