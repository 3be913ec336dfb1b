#include <dunlin_sim/checkers/command_checker.hpp>
#include <sim/checker_input.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

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

}  // namespace
}  // namespace dunlin::sim
