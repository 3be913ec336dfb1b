#include <dunlin/core/ids.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <type_traits>

namespace dunlin {
namespace {

// What must not compile: one kind of number where another is meant, or a bare integer.
static_assert(!std::is_convertible_v<Term, LogIndex> && !std::is_constructible_v<Term, LogIndex>);
static_assert(!std::equality_comparable_with<Term, LogIndex>);
static_assert(!std::is_convertible_v<std::uint64_t, Term> && std::is_constructible_v<Term, std::uint64_t>);
static_assert(!std::is_convertible_v<Term, std::uint64_t>);

// They cost what their integer costs.
static_assert(sizeof(NodeId) == 2 && sizeof(BootEpoch) == 4 && sizeof(Term) == 8);
static_assert(std::is_trivially_copyable_v<Term>);

TEST(Strong, is_zero_by_default_and_ordered_by_value) {
    EXPECT_EQ(Term{}.value(), 0U);
    EXPECT_LT(Term{1}, Term{2});
    EXPECT_EQ(Term{2}, Term{1}.next());
    EXPECT_EQ(Term{1}, Term{2}.previous());
    EXPECT_EQ(Term{5}, Term{2}.plus(3));
}

TEST(Strong, wraps_at_its_own_width) {
    EXPECT_EQ(NodeId{0xffff}.next(), NodeId{0});
    EXPECT_EQ(NodeId{0xffff}.plus(2), NodeId{1});
}

}  // namespace
}  // namespace dunlin
