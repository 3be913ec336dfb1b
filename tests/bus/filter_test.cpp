#include <dunlin/bus/filter.hpp>
#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dunlin::bus {
namespace {

struct MatchCase {
    std::string_view filter;
    std::string_view topic;
    bool expected;
};

TEST(Filter, selects_topics_as_mqtt_5_section_4_7_says) {
    const MatchCase cases[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "ab", false},
        {"ab", "a", false},
        {"a/b", "a/b", true},
        {"a/b", "a", false},
        {"a", "a/b", false},
        {"+", "a", true},
        {"+", "a/b", false},
        {"+", "/a", false},
        {"/+", "/a", true},
        {"+/+", "/a", true},
        {"+/+", "a/b", true},
        {"a/+", "a", false},
        {"a/+", "a/", true},
        {"a/+/c", "a/b/c", true},
        {"a/+/c", "a//c", true},
        {"a/+/c", "a/b/d", false},
        {"a/+/c", "a/b/c/d", false},
        {"#", "a", true},
        {"#", "/", true},
        {"#", "a/b/c", true},
        {"a/#", "a", true},
        {"a/#", "a/", true},
        {"a/#", "a/b/c", true},
        {"a/#", "ab", false},
        {"a/#", "b", false},
        {"+/#", "a", true},
        {"+/b/#", "a/b", true},
        {"+/b/#", "a/c", false},
        {"a/+/#", "a", false},
        {"a/+/#", "a/b", true},
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"$SYS/#", "$SYS/x", true},
        {"#", "$SYS/x", true},
    };
    for (const MatchCase& c : cases) EXPECT_EQ(matches(c.filter, c.topic), c.expected) << c.filter << " on " << c.topic;
}

TEST(Filter, is_valid_where_wildcards_fill_their_level_and_the_hash_is_last) {
    for (const std::string_view good : {"a", "#", "+", "a/#", "+/a", "a/+/b", "/", "//", "+/+/#", "a b", "/#", "\xff"}) {
        EXPECT_TRUE(valid_filter(good, 32)) << good;
    }
    for (const std::string_view bad : {"", "a#", "#a", "a+", "+a", "#/a", "a/#/b", "##", "++", "a/b+", "a/+b"}) {
        EXPECT_FALSE(valid_filter(bad, 32)) << bad;
    }
    EXPECT_FALSE(valid_filter(std::string_view("a\0b", 3), 32));
}

TEST(Topic, is_valid_without_wildcards) {
    for (const std::string_view good : {"a", "/", "a/b", "a b", "$SYS"}) EXPECT_TRUE(valid_topic(good, 32)) << good;
    for (const std::string_view bad : {"", "+", "a/#", "a+", "#"}) EXPECT_FALSE(valid_topic(bad, 32)) << bad;
    EXPECT_FALSE(valid_topic(std::string_view("\0", 1), 32));
}

TEST(Filter, is_as_long_as_the_limit_and_not_longer) {
    const std::string longest(32, 'x');
    EXPECT_TRUE(valid_filter(longest, 32));
    EXPECT_TRUE(valid_topic(longest, 32));
    EXPECT_FALSE(valid_filter(longest + "x", 32));
    EXPECT_FALSE(valid_topic(longest + "x", 32));
}

std::vector<std::string> levels_of(std::string_view text) {
    std::vector<std::string> levels(1);
    for (const char c : text) {
        if (c == '/') {
            levels.emplace_back();
        } else {
            levels.back() += c;
        }
    }
    return levels;
}

// The rule as written down in the standard, level by level.
bool matches_by_levels(std::string_view filter, std::string_view topic) {
    const std::vector<std::string> wanted = levels_of(filter);
    const std::vector<std::string> given = levels_of(topic);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == "#") return true;
        if (i >= given.size()) return false;
        if (wanted[i] != "+" && wanted[i] != given[i]) return false;
    }
    return wanted.size() == given.size();
}

std::string random_text(Random& random, std::string_view alphabet) {
    std::string text;
    const std::uint64_t length = 1 + random.below(7);
    for (std::uint64_t i = 0; i < length; ++i) text += alphabet[static_cast<std::size_t>(random.below(alphabet.size()))];
    return text;
}

TEST(Filter, agrees_with_the_level_by_level_rule_on_random_texts) {
    Random random(7);
    int compared = 0;
    int matched = 0;
    for (int i = 0; i < 200000; ++i) {
        const std::string filter = random_text(random, "ab/+#/");
        const std::string topic = random_text(random, "ab//");
        if (!valid_filter(filter, 32) || !valid_topic(topic, 32)) continue;
        ++compared;
        matched += matches(filter, topic) ? 1 : 0;
        ASSERT_EQ(matches(filter, topic), matches_by_levels(filter, topic)) << filter << " on " << topic;
    }
    EXPECT_GT(compared, 20000);
    EXPECT_GT(matched, 2000);
}

TEST(Filter, a_topic_is_a_filter_that_selects_itself) {
    Random random(8);
    for (int i = 0; i < 2000; ++i) {
        const std::string topic = random_text(random, "ab/");
        ASSERT_TRUE(valid_filter(topic, 32) && matches(topic, topic)) << topic;
    }
}

}  // namespace
}  // namespace dunlin::bus
