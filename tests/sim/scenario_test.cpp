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
    EXPECT_EQ(complaint("nodes 3\npublish 1 valve/open 100"), "s.txt:2: '100' stands where x100, 'under' or 'lasting' belongs");
    EXPECT_EQ(complaint("nodes 3\npublish 1 valve/open x0"), "s.txt:2: 'x0' publishes nothing: x1 at least");
    EXPECT_EQ(complaint("nodes 3\ncut 1 1"), "s.txt:2: 'cut' needs two nodes, not one twice");
    EXPECT_EQ(complaint("nodes 3\npart leader leader"), "s.txt:2: 'part' needs two nodes, not one twice");
    EXPECT_EQ(complaint("nodes 3\nexpect put 1 okay"), "s.txt:2: there is no status 'okay'");
    EXPECT_EQ(complaint("nodes 3\nexpect put 1 waiting"), "nothing");
    EXPECT_EQ(complaint("nodes 3\nexpect change 1 okay"), "s.txt:2: there is no status 'okay'");
    EXPECT_EQ(complaint("nodes 3\npromote 1 by 2"), "s.txt:2: 'by' stands where 'through' belongs");
    EXPECT_EQ(complaint("nodes 3\nexpect stopped 1 unknown"), "s.txt:2: there is no status 'unknown'");
    EXPECT_EQ(complaint("nodes 3\nexpect outcome lost 1"), "s.txt:2: there is no outcome 'lost'");
    EXPECT_EQ(complaint("nodes 3\nexpect counter apples below 1"), "s.txt:2: there is no counter 'apples'");
    EXPECT_EQ(complaint("nodes 3\nsubscribe 1 valve durable durable"), "s.txt:2: 'durable' is too much");
    EXPECT_EQ(complaint("nodes 3\nbare 100%"), "s.txt:2: bare is 0% to 99%");
    EXPECT_EQ(complaint("nodes 3\ncrash 1 in sync"), "s.txt:2: 'lost' is missing");
    EXPECT_EQ(complaint("nodes 3\ncrash 1 gently"), "s.txt:2: 'gently' stands where 'lost' belongs");
    EXPECT_EQ(complaint("nodes 3\ncrash 1 in sync kept"), "s.txt:2: 'kept' stands where 'lost' belongs");
    EXPECT_EQ(complaint("nodes 3\nrot 1 head"), "s.txt:2: 'head' stands where 'tail' belongs");
    EXPECT_EQ(complaint("nodes 3\nmeet strangers"), "s.txt:2: there are no strangers: 'strangers' before the first step");
    EXPECT_EQ(complaint("nodes 3\ndiskless 3"), "s.txt:2: a voter has a disk");
    EXPECT_EQ(complaint("nodes 3 voters 2\ndiskless 3\nsent 3 5"), "s.txt:3: only a journal knows what was sent long ago");
    EXPECT_EQ(complaint("nodes 3 voters 2\nsent 3 5\ndiskless 3"), "s.txt:3: only a journal knows what was sent long ago");
    EXPECT_EQ(complaint("nodes 3\nscarce 4"), "s.txt:2: there is no node 4: they are 1 to 3");
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
                                   "publish 1 valve/open x3 under valve lasting 1s",
                                   "publish 1 valve/open lasting 1s",
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
                                   "ask 1 a",
                                   "demote 1 through holder valve",
                                   "promote 1 through 2",
                                   "expect change 1 waiting",
                                   "late 1 holder valve 2s",
                                   "crash holder valve in sync lost",
                                   "crash 1 in sync torn",
                                   "crash holder valve torn",
                                   "rot 1 middle",
                                   "rot 1 tail",
                                   "freeze 1",
                                   "thaw 1",
                                   "keep 1",
                                   "repeat holder valve",
                                   "expect answer holder valve nothing",
                                   "expect down holder valve",
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

TEST(Scenario, a_node_dies_in_its_next_sync) {
    const std::string begin = "nodes 3\nexpect within 5s leader among 1 2 3\ncrash 3 in sync lost\n";
    EXPECT_EQ(failure(begin + "expect not down 3\nput 1 a b\nexpect within 1s down 3\nrestart 3\nadvance 100ms\nexpect get 3 a b"), "");
    EXPECT_THAT(failure(begin + "expect down 3"), StartsWith("s.txt:4: expect down 3: node 3 "));
}

TEST(Scenario, what_rots_in_the_middle_of_a_journal_stops_its_node_and_its_tail_does_not) {
    // Which byte rots follows from all that was written: here it is one of a record, and of no slot of a bank's head that is over.
    std::string begin = "nodes 3\nexpect within 5s leader among 1 2 3\n";
    for (int i = 0; i < 3; ++i) begin += "put 1 a " + std::to_string(i) + "\nexpect within 1s put 1 ok\n";
    begin += "crash 3\n";
    EXPECT_EQ(failure(begin + "rot 3 middle\nrestart 3\nexpect within 1s stopped 3 corrupt"), "");
    EXPECT_EQ(failure(begin + "rot 3 tail\nrestart 3\nadvance 100ms\nexpect get 3 a 2"), "");
    EXPECT_EQ(failure("nodes 1\nrot 1 tail"), "s.txt:2: rot 1 tail: node 1 runs: crash it first");
    EXPECT_EQ(failure("nodes 1\ncrash 1\nwipe 1\nrot 1 middle"), "s.txt:4: rot 1 middle: nothing on the disk of node 1 can rot");
}

TEST(Scenario, what_is_late_on_its_way_comes_after_what_is_sent_later) {
    const std::string begin =
        "nodes 2 voters 1\nsubscribe 2 flow\nexpect within 5s subscribers 1 flow 1\nlate 1 2 1s\npublish 1 flow\nadvance 900ms\n";
    EXPECT_EQ(failure(begin + "expect delivered 0\nadvance 200ms\nexpect delivered 1"), "");
    EXPECT_EQ(failure(begin + "late 1 2 0ms\npublish 1 flow\nadvance 50ms\nexpect delivered 2 duplicates 0"), "");
}

TEST(Scenario, copies_of_what_a_node_sent_arrive_once_more) {
    const std::string begin = "nodes 2 voters 1\nexpect within 5s leader among 1\nadvance 1s\n";
    EXPECT_EQ(failure(begin + "keep 2\nadvance 2s\nexpect counter packets_duplicate below 1\nrepeat 2\nadvance 1ms\n"
                              "expect not counter packets_duplicate below 5"),
              "");
}

TEST(Scenario, a_clock_that_stands_still_lets_nothing_come_due_until_it_goes_on) {
    EXPECT_EQ(failure("nodes 3\nexpect within 5s leader among 1 2 3\nacquire 3 valve ttl 2s\nexpect within 5s holder 3 valve\n"
                      "isolate 3\nfreeze 3\nadvance 1m\nexpect holder 3 valve\nthaw 3\nadvance 3s\nexpect not holder 3 valve"),
              "");
}

TEST(Scenario, what_is_published_for_a_while_expires) {
    const std::string begin =
        "nodes 2 voters 1\nsubscribe 2 flow durable\nexpect within 5s subscribers 1 flow 1\ncut 1 2\npublish 1 flow x3";
    const std::string end = "\nadvance 600ms\nheal\nexpect within 5s settled\nexpect outcome ";
    EXPECT_EQ(failure(begin + " lasting 500ms" + end + "expired 3"), "");
    EXPECT_EQ(failure(begin + " lasting 1m" + end + "expired 0"), "");
}

TEST(Scenario, a_question_is_not_waited_for) {
    EXPECT_EQ(failure("nodes 3\nexpect within 5s leader among 1 2 3\nask 1 setpoint\nexpect not answer 1 nothing\n"
                      "expect within 1s answer 1 nothing"),
              "");
    EXPECT_EQ(failure("nodes 1\nask 1 setpoint\nexpect answer 1 7"), "s.txt:3: expect answer 1 7: the answer was none yet");
}

TEST(Scenario, a_scarce_ledger_is_soon_full) {
    const std::string puts =
        "put 1 a 1\nexpect within 1s put 1 ok\nput 1 b 1\nexpect within 1s put 1 ok\nput 1 c 1\n"
        "expect within 1s put 1 ok\nput 1 d 1\nexpect within 1s put 1 ok\nput 1 e 1\nexpect within 1s put 1 ";
    EXPECT_EQ(failure("nodes 1\nscarce\nexpect within 5s leader among 1\n" + puts + "ledger_full"), "");
    EXPECT_EQ(failure("nodes 1\nexpect within 5s leader among 1\n" + puts + "ok"), "");
}

TEST(Scenario, a_member_without_a_disk_begins_anew) {
    EXPECT_EQ(failure("nodes 3 voters 2\ndiskless 3\nsubscribe 2 flow durable\nexpect within 5s subscribers 3 flow 1\n"
                      "publish 3 flow x3\nexpect within 1s settled\ncrash 3\nrestart 3\nexpect within 5s subscribers 3 flow 1\n"
                      "publish 3 flow x2\nexpect within 1s delivered 5 duplicates 0"),
              "");
}

TEST(Scenario, strangers_are_told_apart_once_they_meet) {
    EXPECT_EQ(failure("nodes 3\nstrangers\nexpect within 5s leader among 1 2 3\nadvance 2s\n"
                      "expect counter packets_foreign_cluster below 1\nmeet strangers\nadvance 5s\n"
                      "expect not counter packets_foreign_cluster below 1\nexpect leader among 1 2 3"),
              "");
}

TEST(Scenario, a_violation_fails_the_story_at_the_step_during_which_it_happens) {
    // A clock far beyond the bound on its error: its holder would believe in a lease that ran out long ago.
    const std::string text = "nodes 5 voters 3\nclock 5 -400000ppm\nacquire 5 valve ttl 10s\nadvance 500ms\nadvance 5s\nadvance 1s\n";
    EXPECT_THAT(failure(text), testing::AllOf(StartsWith("s.txt:5: advance 5s: 'a lease outlasts its holder's view' violated"),
                                              HasSubstr("process 4 takes lease valve under token")));
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
