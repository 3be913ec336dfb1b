#include "lwip/fake_port.hpp"

#include <dunlin/ledger/commands.hpp>
#include <dunlin/node/node_memory.hpp>
#include <dunlin_lwip/format_storage.hpp>

#include <gtest/gtest.h>

#include <array>

namespace dunlin_lwip {
namespace {

using dunlin::Status;
using lwip_test::fake_port;

constexpr dunlin::journal::Geometry kNor{.erase_bytes = 4096, .program_bytes = 8};

// On flash and on a card.
class LwipStorage : public testing::TestWithParam<dunlin::journal::Geometry> {
  protected:
    LwipStorage() {
        lwip_test::reset_fake_port();
        fake_port().geometry = GetParam();
        fake_port().device.assign(dunlin::journal_device_bytes_min<dunlin::limits::micro>(kNor), std::byte{0xff});
    }
    Status format() {
        return format_storage(
            {.node = dunlin::NodeId{13}, .storage = dunlin::StorageId{1}, .stream = dunlin::StreamId{2}, .cluster = "plant"}, buffer);
    }
    alignas(8) std::array<std::byte, dunlin::limits::micro.journal_buffer_bytes> buffer{};
};
INSTANTIATE_TEST_SUITE_P(Geometries, LwipStorage, testing::Values(dunlin::journal::Geometry{}, kNor));

TEST_P(LwipStorage, tells_a_blank_one_from_one_with_a_journal_and_changes_neither) {
    EXPECT_EQ(look_at_storage(buffer), Status::blank);
    ASSERT_EQ(format(), Status::ok);
    const std::vector<std::byte> formatted = fake_port().device;
    EXPECT_EQ(look_at_storage(buffer), Status::ok);
    EXPECT_EQ(fake_port().device, formatted);
}

TEST_P(LwipStorage, calls_one_corrupt_that_is_neither) {
    ASSERT_EQ(format(), Status::ok);
    for (std::byte& byte : fake_port().device) byte ^= std::byte{0x10};
    EXPECT_EQ(look_at_storage(buffer), Status::corrupt);
}

TEST_P(LwipStorage, says_why_it_cannot_look_or_format) {
    fake_port().next_operation = Status::device_error;
    EXPECT_EQ(look_at_storage(buffer), Status::device_error);
    EXPECT_EQ(format(), Status::device_error);
    fake_port().next_operation = Status::ok;
    EXPECT_EQ(format_storage({.node = dunlin::NodeId{13}}, buffer), Status::invalid_argument);
    EXPECT_EQ(look_at_storage(buffer), Status::blank);
    fake_port().device.clear();
    EXPECT_EQ(look_at_storage(buffer), Status::invalid_argument);
}

// The formatter finds that out in the middle, when no operation of the storage has failed.
TEST_P(LwipStorage, says_that_it_is_too_short_for_the_first_entry) {
    alignas(8) std::array<std::byte, 640> long_buffer{};
    std::array<dunlin::ledger::MemberRow, dunlin::kVotersMax> voters{};
    for (std::uint16_t i = 0; i < voters.size(); ++i) {
        voters[i] = dunlin::ledger::voter_row(dunlin::NodeId{static_cast<std::uint16_t>(13 + i)}, dunlin::StorageId{1U + i}, {});
    }
    const dunlin::FormatPlan plan{.node = dunlin::NodeId{13},
                                  .storage = dunlin::StorageId{1},
                                  .stream = dunlin::StreamId{2},
                                  .cluster = "plant",
                                  .init = true,
                                  .bootstrap = {.incarnation = dunlin::ClusterIncarnation{5}, .voters = voters}};
    EXPECT_EQ(format_storage(plan, long_buffer), Status::ok);
    fake_port().geometry = {};
    fake_port().device.resize(2048);
    EXPECT_EQ(format_storage(plan, long_buffer), Status::device_full);
}

}  // namespace
}  // namespace dunlin_lwip
