#include <dunlin/resilience/error_class.hpp>

#include <gtest/gtest.h>

namespace dunlin::resilience {
namespace {

TEST(ErrorClass, what_another_voter_or_a_moment_can_change_is_transient) {
    for (const Status status : {Status::not_leader, Status::no_quorum, Status::timed_out, Status::recovering})
        EXPECT_EQ(classify(status), ErrorClass::transient) << to_string(status);
}

TEST(ErrorClass, what_is_full_for_now_is_overload) {
    for (const Status status : {Status::busy, Status::outbox_full}) EXPECT_EQ(classify(status), ErrorClass::overload) << to_string(status);
}

TEST(ErrorClass, what_would_be_answered_the_same_again_is_permanent) {
    for (const Status status :
         {Status::too_large, Status::invalid_argument, Status::invalid_topic, Status::not_found, Status::no_subscriber,
          Status::shutting_down, Status::session_evicted, Status::lease_held, Status::lease_lost, Status::ledger_full,
          Status::stale_sequence, Status::corrupt, Status::fenced, Status::table_full})
        EXPECT_EQ(classify(status), ErrorClass::permanent) << to_string(status);
}

TEST(ErrorClass, only_errors_have_a_class_and_only_two_of_them_are_worth_a_retry) {
    EXPECT_EQ(classify(Status::ok), ErrorClass::none);
    EXPECT_TRUE(worth_retrying(ErrorClass::transient));
    EXPECT_TRUE(worth_retrying(ErrorClass::overload));
    EXPECT_FALSE(worth_retrying(ErrorClass::permanent));
    EXPECT_FALSE(worth_retrying(ErrorClass::none));
}

}  // namespace
}  // namespace dunlin::resilience
