#include <link/link_pair.hpp>

#include <map>

namespace dunlin::link {
namespace {

// Times of the handler's calls, by payload.
using Calls = std::map<std::string, std::vector<Instant>>;

std::string text(const InboundMessage& message) { return {reinterpret_cast<const char*>(message.payload.data()), message.payload.size()}; }

// Notes each call, and never takes what comes.
auto refuser(const LinkPair& pair, Calls& calls) {
    return [&](const InboundMessage& message) {
        calls[text(message)].push_back(pair.now);
        return Disposition::retry_later;
    };
}

TEST(RetryStory, a_message_that_its_handler_never_takes_is_a_dead_letter_after_so_many_attempts_and_lets_the_next_one_go) {
    LinkPair pair;
    pair.b().handler = [](const InboundMessage& message) {
        return text(message) == "never" ? Disposition::retry_later : Disposition::accepted;
    };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "never"));
    ASSERT_TRUE(pair.a().publish(pair.now, "next"));
    pair.run_for(seconds{60});
    EXPECT_TRUE(pair.a().outcomes().empty());  // patience for two minutes, by backoff alone
    pair.run_for(seconds{200});
    const auto outcomes = pair.a().outcomes();
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].outcome, Outcome::retry_budget);
    EXPECT_EQ(outcomes[0].effect, Effect::unknown);
    EXPECT_EQ(outcomes[1].outcome, Outcome::acknowledged);
    EXPECT_EQ(pair.b().delivered.size(), 250U + 1);
    EXPECT_EQ(pair.b().inbox.used(), 0U);
}

TEST(RetryStory, one_attempt_is_allowed_to_be_all) {
    LinkPair pair;
    pair.b().self.attempts_max = 1;
    pair.b().handler = [](const InboundMessage&) { return Disposition::retry_later; };
    pair.open();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(pair.a().publish(pair.now, "never"));
    pair.run_for(seconds{5});
    EXPECT_EQ(pair.a().outcomes().size(), 20U);
    EXPECT_EQ(pair.b().delivered.size(), 20U);
}

TEST(RetryStory, all_subscriptions_of_a_publisher_share_its_budget_and_none_is_left_out) {
    LinkPair pair;
    Calls calls;
    pair.b().handler = refuser(pair, calls);
    pair.open();
    const Instant begin = pair.now;
    for (std::uint32_t i = 0; i < 16; ++i)
        ASSERT_TRUE(
            pair.a().publish(pair.now, std::to_string(i), {.topic = "t" + std::to_string(i % 8), .subscription = SubscriptionId{100 + i}}));
    pair.run_for(seconds{20});
    std::size_t all = 0;
    for (const auto& [payload, times] : calls) {
        all += times.size();
        EXPECT_GE(times.size(), 6U) << payload;
    }
    EXPECT_EQ(calls.size(), 16U);
    EXPECT_LE(all - 16, 20U + 10 * 20 + 2);
    EXPECT_GE(all - 16, 150U);  // and it is used
    EXPECT_GT(pair.b().counters.get(Counter::retry_budget_waits), 0U);
    EXPECT_EQ(pair.now, begin + seconds{20});
}

TEST(RetryStory, what_is_delivered_the_first_time_pays_for_retries) {
    LinkPair pair;
    std::map<std::string, int> times;
    pair.b().handler = [&](const InboundMessage& message) {
        if (message.subscription == kOther) return Disposition::accepted;
        return ++times[text(message)] == 1 ? Disposition::retry_later : Disposition::accepted;
    };
    pair.open();
    for (int ms = 0; ms < 10'000; ms += 2) {
        ASSERT_TRUE(pair.a().publish(pair.now, "x", {.subscription = kOther}));  // 500 a second: fifty retries
        if (ms % 20 == 0) (void)pair.a().publish(pair.now, std::to_string(ms), {});
        pair.run_for(milliseconds{2});
        (void)pair.a().outcomes();
    }
    EXPECT_GT(pair.b().counters.get(Counter::messages_delivered_again), 350U);
}

TEST(RetryStory, each_message_comes_back_at_its_own_time) {
    LinkPair pair;
    Calls calls;
    pair.b().handler = [&](const InboundMessage& message) {
        calls[text(message)].push_back(pair.now);
        return message.subscription == kOther && calls[text(message)].size() == 2 ? Disposition::accepted : Disposition::retry_later;
    };
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "old"));
    pair.run_for(seconds{8});  // pauses of up to a second by now
    const std::size_t before = calls["old"].size();
    for (int i = 0; i < 40; ++i) {  // each is called again within 10 ms
        ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i), {.subscription = kOther}));
        pair.run_for(milliseconds{50});
    }
    EXPECT_LT(calls["old"].size() - before, 14U);
}

TEST(RetryStory, a_session_that_ends_meanwhile_neither_forgets_nor_hastens_a_retry) {
    LinkPair pair;
    Calls calls;
    pair.b().handler = refuser(pair, calls);
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "m"));
    pair.run_for(seconds{3});
    for (int i = 0; i < 10; ++i) {
        pair.a().link->restart(pair.now);
        pair.b().link->restart(pair.now);
        pair.dial();
        pair.run_for(milliseconds{200});
    }
    const std::size_t after = calls["m"].size();
    EXPECT_LT(after, 30U);
    pair.run_for(seconds{5});
    EXPECT_GT(calls["m"].size(), after + 4);
}

}  // namespace
}  // namespace dunlin::link
