#include <dunlin/core/callback.hpp>

#include <gtest/gtest.h>

#include <type_traits>

namespace dunlin {
namespace {

static_assert(std::is_trivially_copyable_v<Callback<void()>>);

TEST(Callback, calls_the_callable_that_it_was_bound_to) {
    int total = 0;
    auto add = [&total](int amount) { return total += amount; };
    const auto callback = Callback<int(int)>::of(add);
    ASSERT_TRUE(callback);
    EXPECT_EQ(callback(3), 3);
    EXPECT_EQ(callback(4), 7);
}

TEST(Callback, passes_its_context_to_a_plain_function) {
    int value = 5;
    const Callback<int()> callback([](void* context) { return *static_cast<int*>(context); }, &value);
    EXPECT_EQ(callback(), 5);
}

TEST(CallbackDeathTest, an_empty_one_is_false_and_cannot_be_called) {
    const Callback<void()> callback;
    EXPECT_FALSE(callback);
    EXPECT_DEATH_IF_SUPPORTED(callback(), "");
}

}  // namespace
}  // namespace dunlin
