#include "replica.hpp"

#include <gtest/gtest.h>

namespace dunlin::ledger::test {
namespace {

void fill(Replica& replica) {
    (void)replica.bootstrap();
    (void)replica.open(100);
    (void)replica.acquire(100, 1, "pump", 5'000'000);
    (void)replica.put(100, 2, "limit", "42");
}

TEST(Image, of_a_small_board_fits_three_and_a_half_kilobytes) { EXPECT_LE(image_bytes(LedgerLimits{}), 3584u); }

TEST(Image, of_an_empty_ledger_has_pinned_leading_bytes) {
    Replica replica;
    const auto bytes = replica.ledger.image();
    const std::uint8_t expected[] = {0x44, 0x4c, 0x49, 0x4d, 2, 0, 16, 0, 16, 0, 16, 0, 8, 0, 32, 0};
    EXPECT_EQ(std::memcmp(bytes.data(), expected, sizeof expected), 0);
}

TEST(Image, travels_to_another_replica_which_then_goes_on_the_same) {
    Replica from, to;
    fill(from);
    ASSERT_EQ(to.ledger.install(from.ledger.image()), Status::ok);
    EXPECT_EQ(to.ledger.state_hash(), from.ledger.state_hash());
    EXPECT_EQ(to.ledger.applied(), from.ledger.applied());
    EXPECT_EQ(to.ledger.member(1).storage, 22u);
    (void)from.put(100, 3, "limit", "43");
    (void)to.put(100, 3, "limit", "43");
    EXPECT_EQ(to.ledger.state_hash(), from.ledger.state_hash());
    EXPECT_EQ(to.copy(), from.copy());
}

TEST(Image, carries_the_answers_that_a_retry_needs) {
    Replica from, to;
    fill(from);
    const std::uint64_t revision = from.put(100, 3, "limit", "43").value;
    ASSERT_EQ(to.ledger.install(from.ledger.image()), Status::ok);
    to.time = from.time;
    const ApplyResult again = to.raw_command(100, 3, CommandType::put, encode(PutCommand{"limit", bytes_of_text("99")}, to.scratch));
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.command.value, revision);
    EXPECT_EQ(std::to_integer<char>(to.ledger.value(to.ledger.find_key("limit"))[1]), '3');
}

TEST(Image, with_any_bit_flipped_is_refused_and_the_state_is_untouched) {
    Replica from, to;
    fill(from);
    (void)to.bootstrap();
    const std::vector<std::byte> before = to.copy();
    std::vector<std::byte> image = from.copy();
    for (std::size_t i = 0; i < image.size(); ++i) {
        const std::byte was = image[i];
        image[i] ^= std::byte{0x10};
        const Status status = to.ledger.install(image);
        const bool version = i >= offsetof(ImageHeader, version) && i < offsetof(ImageHeader, limits);
        EXPECT_EQ(status, version ? Status::unsupported_version : Status::corrupt) << i;
        image[i] = was;
    }
    EXPECT_EQ(to.copy(), before);
    EXPECT_EQ(to.ledger.status(), Status::ok);
}

TEST(Image, of_any_other_length_is_refused) {
    Replica from, to;
    fill(from);
    std::vector<std::byte> image = from.copy();
    EXPECT_EQ(to.ledger.install({}), Status::corrupt);
    EXPECT_EQ(to.ledger.install(std::span(image).first(sizeof(ImageHeader))), Status::corrupt);
    EXPECT_EQ(to.ledger.install(std::span(image).first(image.size() - 4)), Status::corrupt);
    image.resize(image.size() + 4);
    EXPECT_EQ(to.ledger.install(image), Status::corrupt);
}

TEST(Image, with_an_unsound_row_is_refused_though_its_checksum_holds) {
    Replica from, to;
    fill(from);
    Image image(from.image, from.ledger.limits());
    LeaseRow row = image.lease(0);
    row.name.length = 33;
    image.store(0, row);
    EXPECT_EQ(to.ledger.install(from.ledger.image()), Status::corrupt);
}

TEST(Image, of_another_version_or_a_newer_feature_level_is_refused_as_such_and_the_state_is_untouched) {
    Replica from, to;
    fill(from);
    const std::vector<std::byte> before = to.copy();
    Image image(from.image, from.ledger.limits());
    image.header().version = kImageVersion + 1;
    EXPECT_EQ(to.ledger.install(from.ledger.image()), Status::unsupported_version);
    image.header().version = kImageVersion;
    image.header().feature_level = kFeatureLevel + 1;
    EXPECT_EQ(to.ledger.install(from.ledger.image()), Status::unsupported_version);
    EXPECT_EQ(to.copy(), before);
    image.header().feature_level = kFeatureLevel;
    EXPECT_EQ(to.ledger.install(from.ledger.image()), Status::ok);
}

TEST(Image, made_under_other_limits_stops_the_replica_and_leaves_its_state) {
    Replica from(LedgerLimits{.leases = 17}), to;
    const std::vector<std::byte> before = to.copy();
    EXPECT_EQ(to.ledger.install(from.ledger.image()), Status::invalid_argument);
    EXPECT_EQ(to.ledger.status(), Status::invalid_argument);
    EXPECT_EQ(to.copy(), before);
}

TEST(Image, limits_out_of_range_are_not_valid) {
    EXPECT_TRUE(valid(LedgerLimits{}));
    EXPECT_FALSE(valid(LedgerLimits{.leases = 0}));
    EXPECT_FALSE(valid(LedgerLimits{.keys = 1025}));
    EXPECT_FALSE(valid(LedgerLimits{.value_bytes = 12}));
}

}  // namespace
}  // namespace dunlin::ledger::test
