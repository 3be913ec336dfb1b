#include <dunlin_sim/checkers/ledger_checker.hpp>
#include <sim/checker_input.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

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

}  // namespace
}  // namespace dunlin::sim
