#include "replica.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dunlin::ledger::test {
namespace {

std::string hex(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte value : bytes) {
        text += "0123456789abcdef"[std::to_integer<unsigned>(value) >> 4];
        text += "0123456789abcdef"[std::to_integer<unsigned>(value) & 15];
    }
    return text;
}

std::array<std::byte, 2048> buffer{};

TEST(Commands, have_pinned_bytes) {
    EXPECT_EQ(hex(encode(AcquireCommand{"pump", milliseconds{5000}, BootEpoch{3}}, buffer)), "404b4c000300000070756d70");
    EXPECT_EQ(hex(encode(ReleaseCommand{"pump", Token{0x0102}}, buffer)), "020100000000000070756d70");
    EXPECT_EQ(hex(encode(PutCommand{"k", bytes_of_text("v1")}, buffer)), "010002006b7631");
    EXPECT_EQ(hex(raw(CommandHead{1, 2, 3, 4, 0, 0})), "010000000000000002000000000000000300040000000000");
    EXPECT_EQ(hex(raw(consensus::ConfigChange{0x0102, 4, 2, 0, 0})), "02010000000000000400020000000000");
    EXPECT_EQ(hex(raw(TransferCommand{4, 0, 0})), "0400000000000000");
    EXPECT_EQ(hex(raw(RenewalsHead{1})), "0100000000000000");
}

TEST(Commands, bootstrap_has_pinned_bytes) {
    const std::array voters{voter_row(NodeId{1}, StorageId{0x1122}, bytes_of_text("ab"))};
    const std::string text = hex(encode(Bootstrap{ClusterIncarnation{5}, LedgerLimits{}, 1000, 1, voters}, buffer));
    EXPECT_EQ(text.substr(0, 64),
              "0500000000000000"
              "1000100010000800"
              "20000100e8030000"
              "0100000000000000");
    EXPECT_EQ(text.substr(64, 28),
              "2211000000000000"
              "0100"
              "02"
              "01"
              "6162");
    EXPECT_EQ(text.size(), 2 * (32u + 76u));
}

TEST(Commands, come_back_from_their_bytes) {
    AcquireCommand acquire{};
    ASSERT_TRUE(decode(encode(AcquireCommand{"pump", milliseconds{100}, BootEpoch{3}}, buffer), acquire));
    EXPECT_EQ(acquire.name, "pump");
    EXPECT_EQ(acquire.ttl, milliseconds{100});
    EXPECT_EQ(acquire.holder_epoch, BootEpoch{3});
    PutCommand put{};
    ASSERT_TRUE(decode(encode(PutCommand{"k", bytes_of_text("v1")}, buffer), put));
    EXPECT_EQ(put.key, "k");
    EXPECT_EQ(put.value.size(), 2u);
}

TEST(Commands, are_not_written_where_they_do_not_fit) {
    EXPECT_TRUE(encode(AcquireCommand{"pump", milliseconds{100}, BootEpoch{3}}, std::span(buffer).first(11)).empty());
}

TEST(Commands, that_no_encoder_wrote_are_refused) {
    AcquireCommand acquire{};
    ReleaseCommand release{};
    PutCommand put{};
    EXPECT_FALSE(decode(std::span<const std::byte>{}, acquire));
    EXPECT_FALSE(decode(encode(AcquireCommand{"", seconds{1}, {}}, buffer), acquire));
    EXPECT_FALSE(decode(encode(AcquireCommand{"n", milliseconds{99}, {}}, buffer), acquire));
    EXPECT_FALSE(decode(encode(AcquireCommand{"n", seconds{3601}, {}}, buffer), acquire));
    EXPECT_FALSE(decode(encode(AcquireCommand{std::string(33, 'x'), seconds{1}, {}}, buffer), acquire));
    EXPECT_FALSE(decode(encode(ReleaseCommand{"n", Token{0}}, buffer), release));
    const auto sound = encode(PutCommand{"k", bytes_of_text("v1")}, buffer);
    EXPECT_FALSE(decode(sound.first(sound.size() - 1), put));
    const std::string long_name(33, 'x');
    EXPECT_EQ(validate_command(CommandType::acquire, encode(AcquireCommand{long_name, seconds{1}, {}}, buffer)), Status::too_large);
    EXPECT_EQ(validate_command(CommandType::release, encode(ReleaseCommand{long_name, Token{1}}, buffer)), Status::too_large);
    EXPECT_EQ(validate_command(CommandType::put, encode(PutCommand{long_name, {}}, buffer)), Status::too_large);
    EXPECT_EQ(validate_command(CommandType::put, encode(PutCommand{"k", {}}, buffer).first(4)), Status::invalid_argument);
    EXPECT_EQ(validate_command(static_cast<CommandType>(99), {}), Status::unsupported_version);
    const OpenSessionCommand open{7};
    EXPECT_EQ(validate_command(CommandType::open_session, raw(open)), Status::ok);
    EXPECT_EQ(validate_command(CommandType::open_session, raw(open).first(7)), Status::invalid_argument);
    EXPECT_EQ(validate_command(CommandType::open_session, joined(raw(open), raw(open))), Status::invalid_argument);
}

TEST(Commands, bootstrap_with_two_claims_to_one_id_or_storage_is_refused) {
    BootstrapHead head{};
    const auto decoded = [&head](const std::array<MemberRow, 2>& voters) {
        return decode(encode(Bootstrap{ClusterIncarnation{5}, LedgerLimits{}, 1000, 1, voters}, buffer), head);
    };
    EXPECT_TRUE(decoded({voter_row(NodeId{1}, StorageId{1}, {}), voter_row(NodeId{2}, StorageId{2}, {})}));
    EXPECT_FALSE(decoded({voter_row(NodeId{1}, StorageId{1}, {}), voter_row(NodeId{1}, StorageId{2}, {})}));
    EXPECT_FALSE(decoded({voter_row(NodeId{1}, StorageId{1}, {}), voter_row(NodeId{2}, StorageId{1}, {})}));
    EXPECT_FALSE(decoded({voter_row(NodeId{0}, StorageId{1}, {}), voter_row(NodeId{2}, StorageId{2}, {})}));
}

TEST(Commands, bootstrap_of_random_bytes_never_crashes) {
    Random random(3);
    BootstrapHead head{};
    for (int round = 0; round < 20'000; ++round) {
        const std::size_t length = static_cast<std::size_t>(random.below(200));
        for (std::size_t i = 0; i < length; ++i) buffer[i] = static_cast<std::byte>(random.next_u32());
        EXPECT_FALSE(decode(std::span(buffer).first(length), head));
    }
}

}  // namespace
}  // namespace dunlin::ledger::test
