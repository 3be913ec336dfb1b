#include <dunlin/core/status.hpp>

#include <gtest/gtest.h>

#include <set>

namespace dunlin {
namespace {

TEST(Status, each_value_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    int known = 0;
    for (int i = 0; i < 256; ++i) {
        const std::string_view name = to_string(static_cast<Status>(i));
        if (name == "unknown") continue;
        ++known;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
    EXPECT_GE(known, 27);
    EXPECT_EQ(to_string(Status::ok), "ok");
}

TEST(Status, travels_in_ledger_replies_so_its_numbers_never_change) {
    EXPECT_EQ(static_cast<int>(Status::busy), 4);
    EXPECT_EQ(static_cast<int>(Status::not_found), 13);
    EXPECT_EQ(static_cast<int>(Status::no_quorum), 30);
    EXPECT_EQ(static_cast<int>(Status::not_leader), 31);
    EXPECT_EQ(static_cast<int>(Status::timed_out), 32);
    EXPECT_EQ(static_cast<int>(Status::session_evicted), 33);
    EXPECT_EQ(static_cast<int>(Status::lease_held), 34);
    EXPECT_EQ(static_cast<int>(Status::lease_lost), 35);
    EXPECT_EQ(static_cast<int>(Status::ledger_full), 36);
    EXPECT_EQ(static_cast<int>(Status::stale_sequence), 37);
    EXPECT_EQ(static_cast<int>(Status::fenced), 46);
    EXPECT_EQ(static_cast<int>(Status::voter_journal), 47);
}

TEST(Result, holds_a_value_or_the_reason_why_not) {
    const Result<int> good(7);
    EXPECT_TRUE(good.ok());
    EXPECT_EQ(good.status(), Status::ok);
    EXPECT_EQ(good.value(), 7);
    const Result<int> bad(Status::busy);
    EXPECT_FALSE(bad.ok());
    EXPECT_EQ(bad.status(), Status::busy);
}

TEST(ResultDeathTest, a_missing_value_cannot_be_read_and_ok_is_no_reason) {
    const Result<int> bad(Status::busy);
    EXPECT_DEATH_IF_SUPPORTED((void)bad.value(), "");
    EXPECT_DEATH_IF_SUPPORTED((void)Result<int>(Status::ok), "");
}

}  // namespace
}  // namespace dunlin
