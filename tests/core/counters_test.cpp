#include <dunlin/core/counters.hpp>

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <utility>

namespace dunlin {
namespace {

// The enumerator's own name, as the compiler spells it: "... [C = dunlin::Counter::packets_sent ...]".
template <Counter C>
std::string enumerator_name() {
    const std::string signature = __PRETTY_FUNCTION__;
    const std::size_t start = signature.find("Counter::", signature.find("C = ")) + 9;
    return signature.substr(start, signature.find_first_of(";]", start) - start);
}

template <std::size_t... I>
std::array<std::string, kCounterCount> enumerator_names(std::index_sequence<I...>) {
    return {enumerator_name<static_cast<Counter>(I)>()...};
}

TEST(Counters, each_is_named_as_its_enumerator) {
    const auto names = enumerator_names(std::make_index_sequence<kCounterCount>{});
    for (std::size_t i = 0; i < kCounterCount; ++i) EXPECT_EQ(info(static_cast<Counter>(i)).name, names[i]);
}

TEST(Counters, each_has_a_meaning_of_its_own_in_one_line) {
    std::set<std::string_view> meanings;
    for (std::size_t i = 0; i < kCounterCount; ++i) {
        const std::string_view meaning = info(static_cast<Counter>(i)).meaning;
        EXPECT_FALSE(meaning.empty());
        EXPECT_EQ(meaning.find('\n'), std::string_view::npos);
        EXPECT_TRUE(meanings.insert(meaning).second) << meaning;
    }
}

TEST(Counters, count_from_zero_each_on_its_own) {
    Counters counters;
    counters.add(Counter::packets_sent);
    counters.add(Counter::bytes_sent, 1200);
    counters.add(Counter::bytes_sent, 40);
    EXPECT_EQ(counters.get(Counter::packets_sent), 1U);
    EXPECT_EQ(counters.get(Counter::bytes_sent), 1240U);
    EXPECT_EQ(counters.get(Counter::packets_received), 0U);
}

TEST(Counters, wrap_as_a_counter32_does) {
    Counters counters;
    counters.add(Counter::bytes_sent, 0xffff'ffffU);
    counters.add(Counter::bytes_sent, 3);
    EXPECT_EQ(counters.get(Counter::bytes_sent), 2U);
}

TEST(CountersDeathTest, there_is_no_information_on_what_is_no_counter) { EXPECT_DEATH_IF_SUPPORTED((void)info(Counter::count_), ""); }

}  // namespace
}  // namespace dunlin
