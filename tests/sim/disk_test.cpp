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
        ASSERT_EQ(disk.run({.kind = Kind::write, .id = 1, .offset = offset, .buffer = bytes}, read), Status::ok);
    }
    void sync() {
        std::size_t read = 0;
        ASSERT_EQ(disk.run({.kind = Kind::sync, .id = 1}, read), Status::ok);
    }
    // Every value in [offset, offset + length), as read.
    std::set<std::uint8_t> values(std::size_t offset, std::size_t length) {
        std::vector<std::byte> bytes(length);
        std::size_t read = 0;
        EXPECT_EQ(disk.run({.kind = Kind::read, .id = 1, .offset = offset, .buffer = bytes}, read), Status::ok);
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

TEST_F(DiskTest, loses_or_tears_every_unsynced_write_where_asked_to) {
    write(0, kBytes, 1);
    sync();
    write(0, 4096, 2);
    disk.crash(Unsynced::lost);
    EXPECT_EQ(values(0, kBytes), std::set<std::uint8_t>{1});
    EXPECT_EQ(disk.lost(), 1U);
    write(0, 4096, 3);
    disk.crash(Unsynced::torn);
    EXPECT_EQ(values(0, 4096), (std::set<std::uint8_t>{1, 3}));
    EXPECT_EQ(disk.torn(), 1U);
}

TEST_F(DiskTest, tears_some_writes_at_a_moment) {
    constexpr std::size_t kSector = 512;
    int at_a_moment = 0;
    for (int i = 0; i < 100; ++i) {
        write(0, kBytes, 1);
        sync();
        write(0, 8 * kSector, 2);
        disk.crash(Unsynced::torn);
        std::size_t kept = 0;
        while (kept < 8 && values(kept * kSector, kSector) == std::set<std::uint8_t>{2}) ++kept;
        const bool rest_lost = kept == 8 || values(kept * kSector, (8 - kept) * kSector) == std::set<std::uint8_t>{1};
        if (kept >= 2 && rest_lost) ++at_a_moment;
    }
    EXPECT_GT(at_a_moment, 25);  // of any sectors kept, one in thirty is like that
}

TEST_F(DiskTest, takes_no_write_while_it_is_full) {
    write(0, kBytes, 1);
    sync();
    std::vector<std::byte> bytes(10);
    std::size_t read = 0;
    disk.full = true;
    EXPECT_EQ(disk.run({.kind = Kind::write, .id = 1, .offset = 0, .buffer = bytes}, read), Status::device_full);
    EXPECT_EQ(values(0, kBytes), std::set<std::uint8_t>{1});
    disk.full = false;
    write(0, 10, 2);
}

TEST_F(DiskTest, rots_in_the_middle_only_where_something_behind_was_synced_later) {
    write(0, 100, 1);
    sync();
    EXPECT_FALSE(disk.rot_middle(0));
    write(100, 100, 2);
    sync();
    write(kBytes / 2, 100, 3);  // the other half: behind neither
    sync();
    for (std::uint64_t draw = 0; draw < 1000; ++draw) {
        const auto rot = disk.rot_middle(draw << 32U | draw << 8U | draw);
        ASSERT_TRUE(rot);
        EXPECT_LT(rot->offset, 100U);
        EXPECT_EQ(values(0, 100).size(), 2U);
        disk.mend(*rot);
    }
    EXPECT_EQ(values(0, 100), std::set<std::uint8_t>{1});
}

TEST_F(DiskTest, rots_in_the_tail_only_where_nothing_was_synced) {
    write(0, 1024, 1);
    sync();
    write(1024, 1024, 2);
    disk.crash(Unsynced::lost);
    for (std::uint64_t draw = 0; draw < 1000; ++draw) {
        const auto rot = disk.rot_tail(draw << 8U | draw);
        ASSERT_TRUE(rot);
        EXPECT_GE(rot->offset, 1024U);
    }
    EXPECT_EQ(values(0, 1024), std::set<std::uint8_t>{1});
}

TEST_F(DiskTest, rots_in_the_tail_behind_what_earlier_crashes_kept) {
    write(0, 1024, 1);
    sync();
    write(1024, 1024, 2);
    disk.crash(Unsynced::kept);
    for (const bool synced : {false, true}) {
        if (synced) sync();  // whoever has read it may promise it now
        disk.crash();
        for (std::uint64_t draw = 0; draw < 1000; ++draw) {
            const auto rot = disk.rot_tail(draw << 8U | draw);
            ASSERT_TRUE(rot);
            EXPECT_GE(rot->offset, 2048U);
        }
    }
}

TEST_F(DiskTest, gives_its_image_back_after_it_was_wiped) {
    write(0, kBytes, 1);
    sync();
    auto image = disk.image();
    disk.wipe();
    EXPECT_EQ(values(0, kBytes), std::set<std::uint8_t>{0xff});
    disk.restore(std::move(image));
    EXPECT_EQ(values(0, kBytes), std::set<std::uint8_t>{1});
}

TEST_F(DiskTest, refuses_what_lies_beyond_its_end) {
    std::vector<std::byte> bytes(10);
    std::size_t read = 0;
    EXPECT_EQ(disk.run({.kind = Kind::write, .id = 1, .offset = kBytes - 9, .buffer = bytes}, read), Status::device_error);
    EXPECT_EQ(disk.run({.kind = Kind::read, .id = 1, .offset = ~std::uint64_t{0}, .buffer = bytes}, read), Status::device_error);
}

}  // namespace
}  // namespace dunlin::sim
