// What a cluster's entries may use is raised by an entry, and who does not know it stops.
#include "ledger/replica.hpp"

#include <gtest/gtest.h>

namespace dunlin::ledger::test {
namespace {

constexpr std::uint8_t kNewer = kFeatureLevel + 1;

ApplyResult raise(Replica& replica, std::uint32_t level) {
    return replica.apply(consensus::EntryType::feature, raw(FeatureEntry{level, 0}));
}

TEST(FeatureLevel, begins_with_the_clusters_and_is_raised_by_an_entry_but_never_lowered) {
    Replica replica({}, kNewer);
    EXPECT_EQ(replica.ledger.feature_level(), 0U);
    (void)replica.bootstrap();
    EXPECT_EQ(replica.ledger.feature_level(), kFeatureLevel);
    EXPECT_EQ(raise(replica, kNewer).replica, Status::ok);
    EXPECT_EQ(replica.ledger.feature_level(), kNewer);
    EXPECT_EQ(raise(replica, kFeatureLevel).replica, Status::ok);
    EXPECT_EQ(replica.ledger.feature_level(), kNewer);
}

TEST(FeatureLevel, that_a_build_does_not_know_stops_it_and_changes_nothing) {
    Replica replica;
    (void)replica.bootstrap();
    const std::vector<std::byte> before = replica.copy();
    EXPECT_EQ(raise(replica, kNewer).replica, Status::unsupported_version);
    EXPECT_EQ(replica.ledger.status(), Status::unsupported_version);
    EXPECT_EQ(replica.copy(), before);
}

TEST(FeatureLevel, is_in_the_image_which_an_older_build_refuses) {
    Replica replica({}, kNewer), newer({}, kNewer), older;
    (void)replica.bootstrap();
    (void)raise(replica, kNewer);
    EXPECT_EQ(older.ledger.install(replica.copy()), Status::unsupported_version);
    EXPECT_EQ(older.ledger.applied(), LogIndex{});
    ASSERT_EQ(newer.ledger.install(replica.copy()), Status::ok);
    EXPECT_EQ(newer.ledger.feature_level(), kNewer);
}

TEST(FeatureLevel, of_an_entry_that_is_malformed_is_none) {
    const std::vector<std::byte> longer(sizeof(FeatureEntry) + 1, std::byte{1});
    for (const std::span<const std::byte> payload : {std::span(longer), std::span(longer).first(sizeof(FeatureEntry) - 1)}) {
        Replica replica({}, kNewer);
        EXPECT_EQ(replica.apply(consensus::EntryType::feature, payload).replica, Status::corrupt);
    }
    Replica replica({}, kNewer);
    EXPECT_EQ(raise(replica, 0).replica, Status::corrupt);
}

}  // namespace
}  // namespace dunlin::ledger::test
