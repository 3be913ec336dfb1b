#include <dunlin/core/assert.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace dunlin {
namespace {

TEST(Assert, a_true_expression_costs_nothing_and_is_evaluated_once) {
    int evaluations = 0;
    DUNLIN_ASSERT(++evaluations == 1);
    EXPECT_EQ(evaluations, 1);
}

TEST(AssertDeathTest, a_false_expression_ends_the_process) { EXPECT_DEATH_IF_SUPPORTED(DUNLIN_ASSERT(1 == 2), ""); }

TEST(AssertDeathTest, the_hook_learns_file_without_its_folder_and_expression) {
    set_assertion_hook([](const char* file, int, const char* expression) {
        std::fprintf(stderr, "[%s] [%s]\n", file, expression);
        std::_Exit(3);
    });
    EXPECT_DEATH_IF_SUPPORTED(DUNLIN_ASSERT(1 == 2), "\\[assert_test.cpp\\] \\[1 == 2\\]");
    set_assertion_hook(nullptr);
}

TEST(AssertDeathTest, a_hook_that_returns_still_ends_the_process) {
    set_assertion_hook([](const char*, int, const char*) {});
    EXPECT_DEATH_IF_SUPPORTED(DUNLIN_ASSERT(false), "");
    set_assertion_hook(nullptr);
}

}  // namespace
}  // namespace dunlin
