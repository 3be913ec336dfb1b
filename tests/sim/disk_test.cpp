#include <dunlin_sim/disk.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace dunlin::sim {
namespace {

using Kind = journal::DeviceOp::Kind;

constexpr std::size_t kBytes = 8192;

class DiskTest : public testing::Test {
  protected:
    void write(std::size_t offset, std::size_t length, std::uint8_t value) {
        std::vector<std::byte> bytes(length, std::byte{value});
        std::size_t read = 0;
        ASSERT_EQ(disk.run({Kind::write, 1, offset, bytes}, read), Status::ok);
    }
    void sync() {
        std::size_t read = 0;
        ASSERT_EQ(disk.run({Kind::sync, 1, 0, {}}, read), Status::ok);
    }
    // Every value in [offset, offset + length), as read.
    std::set<std::uint8_t> values(std::size_t offset, std::size_t length) {
        std::vector<std::byte> bytes(length);
        std::size_t read = 0;
        EXPECT_EQ(disk.run({Kind::read, 1, offset, bytes}, read), Status::ok);
        EXPECT_EQ(read, length);
        std::set<std::uint8_t> seen;
        for (const std::byte each : bytes) seen.insert(static_cast<std::uint8_t>(each));
        return seen;
    }
    Disk disk{kBytes, 7};
};

TEST_F(DiskTest, reads_what_was_written_before_any_sync) {
    write(100, 50, 9);
    EXPECT_EQ(values(100, 50), std::set<std::uint8_t>{9});
}

TEST_F(DiskTest, keeps_over_a_crash_all_that_was_synced) {
    write(0, kBytes, 9);
    sync();
    for (int i = 0; i < 20; ++i) disk.crash();
    EXPECT_EQ(values(0, kBytes), std::set<std::uint8_t>{9});
}

TEST_F(DiskTest, keeps_of_unsynced_writes_nothing_everything_or_whole_sectors) {
    bool nothing = false;
    bool everything = false;
    for (int i = 0; i < 200; ++i) {
        write(0, kBytes, 1);
        sync();
        write(300, 1500, 2);  // sectors begin at 512, 1024 and 1536
        disk.crash();
        EXPECT_EQ(values(0, 300), std::set<std::uint8_t>{1});
        EXPECT_EQ(values(1800, kBytes - 1800), std::set<std::uint8_t>{1});
        for (const auto& [offset, length] : {std::pair{300, 212}, {512, 512}, {1024, 512}, {1536, 264}}) {
            EXPECT_EQ(values(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)).size(), 1U);
        }
        nothing = nothing || values(300, 1500) == std::set<std::uint8_t>{1};
        everything = everything || values(300, 1500) == std::set<std::uint8_t>{2};
    }
    EXPECT_TRUE(nothing);
    EXPECT_TRUE(everything);
    EXPECT_GT(disk.torn(), 50U);
}

TEST_F(DiskTest, refuses_what_lies_beyond_its_end) {
    std::vector<std::byte> bytes(10);
    std::size_t read = 0;
    EXPECT_EQ(disk.run({Kind::write, 1, kBytes - 9, bytes}, read), Status::device_error);
    EXPECT_EQ(disk.run({Kind::read, 1, ~std::uint64_t{0}, bytes}, read), Status::device_error);
}

}  // namespace
}  // namespace dunlin::sim
