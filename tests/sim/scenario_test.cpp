// What the author of a scenario is told: the file, the line, and what is wrong or was seen instead.
#include <dunlin_sim/scenario/scenario_player.hpp>

#include <gmock/gmock.h>

namespace dunlin::sim {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string complaint(std::string_view text) {
    try {
        static_cast<void>(parse_scenario("s.txt", text));
    } catch (const ScenarioError& error) { return error.what(); }
    return "nothing";
}

// Of a story that can be read.
std::string failure(std::string_view text) { return play(parse_scenario("s.txt", text)).failure; }

TEST(Scenario, text_that_cannot_be_read_is_named_by_file_and_line) {
    EXPECT_EQ(complaint("# a story\n\nnodes 3\nleap 2\n"), "s.txt:4: there is no step 'leap'");
    EXPECT_EQ(complaint("nodes 3\nexpect luck"), "s.txt:2: there is no condition 'luck'");
    EXPECT_EQ(complaint("nodes 3\ncrash 4"), "s.txt:2: there is no node 4: they are 1 to 3");
    EXPECT_EQ(complaint("nodes 3\ncrash 1x"), "s.txt:2: '1x' is not a node");
    EXPECT_EQ(complaint("nodes 3\ncrash"), "s.txt:2: a node is missing");
    EXPECT_EQ(complaint("nodes 3\nheal 2"), "s.txt:2: '2' is too much");
    EXPECT_EQ(complaint("nodes 3\nadvance 2"), "s.txt:2: '2' is not a time such as 500ms, 2s or 1h");
    EXPECT_EQ(complaint("nodes 3\nadvance 9999h"), "s.txt:2: '9999h' is longer than a month");
    EXPECT_EQ(complaint("nodes 3\nloss 100%"), "s.txt:2: loss is 0% to 99%");
    EXPECT_EQ(complaint("nodes 3\nacquire 1 valve for 2s"), "s.txt:2: 'for' stands where 'ttl' belongs");
    EXPECT_EQ(complaint("nodes 3\npublish 1 valve/open 100"), "s.txt:2: '100' stands where x100 or 'under' belongs");
    EXPECT_EQ(complaint("nodes 3\npublish 1 valve/open x0"), "s.txt:2: 'x0' publishes nothing: x1 at least");
    EXPECT_EQ(complaint("nodes 3\ncut 1 1"), "s.txt:2: 'cut' needs two nodes, not one twice");
    EXPECT_EQ(complaint("nodes 3\npart leader leader"), "s.txt:2: 'part' needs two nodes, not one twice");
    EXPECT_EQ(complaint("nodes 3\nexpect put 1 okay"), "s.txt:2: there is no status 'okay'");
    EXPECT_EQ(complaint("nodes 3\nexpect put 1 waiting"), "nothing");
    EXPECT_EQ(complaint("nodes 3\nexpect stopped 1 unknown"), "s.txt:2: there is no status 'unknown'");
    EXPECT_EQ(complaint("nodes 3\nexpect outcome lost 1"), "s.txt:2: there is no outcome 'lost'");
    EXPECT_EQ(complaint("nodes 3\nexpect counter apples below 1"), "s.txt:2: there is no counter 'apples'");
    EXPECT_EQ(complaint("nodes 3\nsubscribe 1 valve durable durable"), "s.txt:2: 'durable' is too much");
    EXPECT_EQ(complaint("nodes 3\nclock 1 1h"), "s.txt:2: '1h' needs a sign: +900ppm, -900ppm, +1h");
}

TEST(Scenario, a_step_cut_short_anywhere_is_refused_or_a_shorter_step) {
    for (const std::string step : {"part 1 2",
                                   "isolate holder valve",
                                   "shutdown 1",
                                   "slow 1 50ms",
                                   "acquire 1 valve ttl 2s",
                                   "release 1 valve",
                                   "put 1 a b",
                                   "subscribe 1 valve/open durable fenced by valve",
                                   "subscribe 1 valve/open fenced by valve durable",
                                   "unsubscribe 1 valve/open",
                                   "publish 1 valve/open x3 under valve",
                                   "remember leader",
                                   "expect within 5s not leader among 1 holder valve",
                                   "expect leader none at others",
                                   "expect term remembered at 1",
                                   "expect subscribers holder valve valve/open 1",
                                   "expect delivered 3 duplicates 0 at holder valve",
                                   "expect acknowledged 1",
                                   "expect outcome subscriber_gone 1",
                                   "expect holder holder valve valve",
                                   "expect get holder valve setpoint 1",
                                   "expect put 1 ok",
                                   "expect stopped 1 blank",
                                   "expect conflict 1"}) {
        EXPECT_EQ(complaint("nodes 2\n" + step), "nothing") << step;
        EXPECT_THAT(complaint("nodes 2\n" + step.substr(0, step.find(' '))), HasSubstr("is missing")) << step;
        for (std::size_t end = step.find(' '); end != std::string::npos; end = step.find(' ', end + 1)) {
            EXPECT_THAT(complaint("nodes 2\n" + step.substr(0, end)), testing::AnyOf("nothing", StartsWith("s.txt:2: "))) << step;
        }
    }
}

TEST(Scenario, a_story_begins_with_its_nodes_and_has_steps) {
    EXPECT_EQ(complaint("advance 1s"), "s.txt:1: 'nodes' comes first, and once");
    EXPECT_EQ(complaint("nodes 3\nnodes 3"), "s.txt:2: 'nodes' comes first, and once");
    EXPECT_EQ(complaint("nodes 17"), "s.txt:1: there can be 1 to 16 nodes, and 1 to 7 voters among them");
    EXPECT_EQ(complaint("nodes 3\nadvance 1s\nseed 4"), "s.txt:3: 'seed' comes before the first step");
    EXPECT_EQ(complaint("nodes 3"), "s.txt:1: nothing happens");
}

TEST(Scenario, a_word_that_begins_with_a_hash_begins_a_comment) {
    const Scenario scenario = parse_scenario("s.txt", "nodes 2 voters 1 # small\nsubscribe 1 valve/# durable # all of them\n");
    ASSERT_EQ(scenario.steps.size(), 1U);
    EXPECT_EQ(scenario.steps[0].line, 2U);
    EXPECT_EQ(scenario.steps[0].text, "subscribe 1 valve/# durable");
}

TEST(Scenario, an_expectation_that_fails_says_what_was_seen_instead) {
    EXPECT_EQ(failure("nodes 1\nexpect within 5s leader among 1\nexpect delivered 3"),
              "s.txt:3: expect delivered 3: delivered 0 duplicates 0");
    EXPECT_THAT(failure("nodes 3\nexpect within 5s leader among 1 2 3\nexpect leader none at 1"),
                StartsWith("s.txt:3: expect leader none at 1: node 1 "));
    EXPECT_EQ(failure("nodes 1\nexpect within 5s leader among 1\nexpect get 1 setpoint 7"),
              "s.txt:3: expect get 1 setpoint 7: the answer was nothing");
    EXPECT_EQ(failure("nodes 1\nexpect within 5s leader among 1\nexpect not get 1 setpoint nothing"),
              "s.txt:3: expect not get 1 setpoint nothing: the answer was nothing");
}

TEST(Scenario, a_step_that_cannot_be_done_says_why) {
    EXPECT_EQ(failure("nodes 1\nisolate leader"), "s.txt:2: isolate leader: nobody leads yet: 'expect within 5s leader among ...' first");
    EXPECT_EQ(failure("nodes 3\nexpect within 5s leader among 1 2 3\ncrash leader\ncrash leader"), "s.txt:4: crash leader: nobody leads");
    EXPECT_EQ(failure("nodes 1\nunsubscribe 1 valve"), "s.txt:2: unsubscribe 1 valve: node 1 does not listen to valve");
    EXPECT_EQ(failure("nodes 1\ncrash it"), "s.txt:2: crash it: 'it' is nobody yet: name a leader or a holder first");
    EXPECT_EQ(failure("nodes 1\ncrash 1\ncrash 1"), "s.txt:3: crash 1: node 1 is down");
    EXPECT_EQ(failure("nodes 1\nrestart 1"), "s.txt:2: restart 1: node 1 runs: crash it first");
    EXPECT_EQ(failure("nodes 1\nresume 1"), "s.txt:2: resume 1: node 1 is not paused");
    EXPECT_EQ(failure("nodes 2\nadvance 1s\nshutdown 2\nadvance 1s\nshutdown 2"), "s.txt:5: shutdown 2: node 2 is down");
    EXPECT_EQ(failure("nodes 1\npause 1\nput 1 a b"), "s.txt:3: put 1 a b: node 1 is paused");
    EXPECT_EQ(failure("nodes 2 voters 1\npublish 1 valve"), "s.txt:2: publish 1 valve: the node says no_subscriber");
    EXPECT_EQ(failure("nodes 1\npublish 1 valve under lease"), "s.txt:2: publish 1 valve under lease: node 1 never held lease");
}

TEST(Scenario, a_subscription_that_was_ended_hears_nothing_more_and_does_not_come_back) {
    EXPECT_EQ(failure("nodes 2\nsubscribe 2 valve durable\nexpect within 5s subscribers 1 valve 1\npublish 1 valve\n"
                      "expect within 1s outcome acknowledged 1\nunsubscribe 2 valve\nexpect within 1s subscribers 1 valve 0\n"
                      "crash 2\nrestart 2\nadvance 2s\nexpect subscribers 1 valve 0\nexpect delivered 1"),
              "");
}

TEST(Scenario, a_voter_whose_disk_was_wiped_may_stop_at_every_start) {
    EXPECT_EQ(failure("nodes 3\nexpect within 5s leader among 1 2 3\ncrash 3\nwipe 3\nrestart 3\nexpect within 1s stopped 3 blank\n"
                      "crash 3\nrestart 3\nadvance 1s"),
              "");
}

TEST(Scenario, a_violation_fails_the_story_at_the_step_during_which_it_happens) {
    // A clock far beyond the bound on its error: its holder believes in a lease that ran out long ago.
    const std::string text =
        "nodes 5 voters 3\nclock 5 -400000ppm\nacquire 5 valve ttl 10s\nexpect within 5s holder 5 valve\nisolate 5\n"
        "acquire 4 valve ttl 10s\nadvance 15s\n";
    EXPECT_THAT(failure(text), testing::AllOf(StartsWith("s.txt:7: advance 15s: 'one valid holder a lease' violated"),
                                              HasSubstr("lease valve is held by process 3 and process 4")));
}

TEST(Scenario, a_story_is_the_same_each_time) {
    const Scenario scenario = parse_scenario("s.txt", "nodes 3\nseed 9\nloss 20%\nexpect within 10s leader among 1 2 3\n");
    const ScenarioReport first = play(scenario);
    const ScenarioReport second = play(scenario);
    EXPECT_EQ(first.failure, "");
    EXPECT_EQ(first.time, second.time);
    EXPECT_EQ(first.checks, second.checks);
}

}  // namespace
}  // namespace dunlin::sim
