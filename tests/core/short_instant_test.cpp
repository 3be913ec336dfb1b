#include <dunlin/core/short_instant.hpp>

#include <gtest/gtest.h>

namespace dunlin {
namespace {

TEST(ShortInstant, is_the_moment_or_a_millisecond_later_until_it_has_passed) {
    for (const std::int64_t start : {std::int64_t{0}, std::int64_t{67'108'863}, std::int64_t{1} << 32, std::int64_t{987'654'321'012}}) {
        const Instant noted{from_us(start)};
        for (const Duration ahead :
             {Duration{0}, Duration{1}, Duration{milliseconds{1}}, Duration{milliseconds{999}}, Duration{seconds{1}}}) {
            const ShortInstant at(noted + ahead);
            for (const Duration later : {Duration{0}, ahead / 2}) {
                const Instant found = at.near(noted + later, seconds{1});
                EXPECT_GE(found, noted + ahead);
                EXPECT_LE(found, noted + ahead + microseconds{1024});
            }
            const Instant passed = noted + ahead + milliseconds{2};
            EXPECT_EQ(at.near(passed, seconds{1}), passed);
            EXPECT_EQ(at.near(passed + seconds{30}, seconds{1}), passed + seconds{30});
        }
    }
}

}  // namespace
}  // namespace dunlin
