// A journal on NOR flash. That nothing is programmed twice, and nothing that is not erased, is asserted by the device itself.
#include "boot.hpp"

#include <gtest/gtest.h>

namespace dunlin::journal::test {
namespace {

using Texts = std::vector<std::string>;
constexpr std::size_t kDeviceBytes = 16 * 1024;
constexpr Geometry kGeometry{2048, 32};

class Flash : public testing::Test {
  protected:
    Flash() : device(kDeviceBytes, kGeometry) { Boot(device, 512).format(); }

    static Status format(Geometry geometry, std::size_t buffer_bytes = 512) {
        Counters counters;
        std::vector<std::byte> buffer(buffer_bytes);
        Journal journal({buffer}, counters, geometry);
        journal.format(kDeviceBytes, StorageId{1});
        return journal.status();
    }

    MemoryDevice device;
};

TEST_F(Flash, gives_back_what_was_appended_over_many_banks_and_starts) {
    Texts expected;
    for (int life = 0; life < 5; ++life) {
        Boot boot(device, 512);
        ASSERT_EQ(boot.open(), Status::ok);
        EXPECT_EQ(boot.texts(), expected);
        expected = {"live"};
        boot.compact(expected);
        for (int i = 0; i < 200; ++i) {
            const std::string text(static_cast<std::size_t>(1 + i), static_cast<char>('a' + i % 26));
            if (boot.journal.needs_checkpoint()) {
                expected = {"live"};
                boot.compact(expected);
            }
            boot.store(text);
            expected.push_back(text);
        }
        EXPECT_GT(boot.counters.get(Counter::journal_compactions), 1U);
    }
}

TEST_F(Flash, takes_nothing_after_a_start_before_a_checkpoint) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    EXPECT_EQ(boot.append("early").status(), Status::busy);
    EXPECT_TRUE(boot.journal.needs_checkpoint());
    boot.drain();  // and leaves the bank that counts alone
    EXPECT_EQ(boot.counters.get(Counter::journal_erases), 0U);
    boot.compact({});
    EXPECT_FALSE(boot.journal.needs_checkpoint());
    EXPECT_TRUE(boot.append("now").ok());
}

TEST_F(Flash, erases_one_block_ahead_and_only_when_there_is_nothing_to_write) {
    Boot boot(device, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    boot.compact({});
    EXPECT_EQ(boot.counters.get(Counter::journal_erases), 2U);
    ASSERT_TRUE(boot.append(std::string(400, 'x')).ok());
    boot.drain();
    ASSERT_TRUE(boot.append(std::string(400, 'x')).ok());
    boot.drain();
    ASSERT_TRUE(boot.append(std::string(400, 'x')).ok());
    boot.drain();
    ASSERT_TRUE(boot.append(std::string(400, 'x')).ok());  // over the end of the first block
    std::string order;
    while (const auto op = boot.journal.poll_op()) {
        order += op->kind == DeviceOp::Kind::write ? 'w' : op->kind == DeviceOp::Kind::sync ? 's' : 'e';
        boot.journal.on_complete(op->id, device.perform(*op), 0);
    }
    EXPECT_EQ(order, "wse");
}

TEST_F(Flash, counts_each_block_that_it_erases) {
    MemoryDevice fresh(kDeviceBytes, kGeometry);
    Boot boot(fresh, 512);
    boot.format();
    const std::uint32_t of_format = boot.counters.get(Counter::journal_erases);
    EXPECT_EQ(of_format, 3U);  // the header of each bank, and one ahead
    for (int i = 0; i < 60; ++i) {
        if (boot.journal.needs_checkpoint()) boot.compact({});
        boot.store(std::string(200, 'x'));
    }
    EXPECT_GE(boot.counters.get(Counter::journal_erases), 60U * 256 / 2048);
    EXPECT_GT(fresh.most_erases(), 1U);
}

TEST_F(Flash, is_formatted_anew_whatever_was_on_it) {
    Content noise = device.image();
    Random random(5);
    for (std::byte& each : noise.bytes) each = static_cast<std::byte>(random.below(256));
    noise.programmed.assign(noise.programmed.size(), true);
    device.become(noise);
    Boot boot(device, 512);
    EXPECT_EQ(boot.open(), Status::corrupt);
    boot.format(StorageId{78});
    boot.store("new!");
    Boot next(device, 512);
    ASSERT_EQ(next.open(), Status::ok);
    EXPECT_EQ(next.texts(), Texts{"new!"});
}

// As when flash is read out for examination.
TEST_F(Flash, is_read_from_a_file_too_and_written_anew_there) {
    {
        Boot boot(device, 512);
        ASSERT_EQ(boot.open(), Status::ok);
        boot.compact({"live"});
        boot.store("aaaa");
    }
    MemoryDevice file(kDeviceBytes);
    file.overwrite(0, device.content());
    Boot boot(file, 512);
    ASSERT_EQ(boot.open(), Status::ok);
    EXPECT_EQ(boot.texts(), (Texts{"live", "aaaa"}));
    EXPECT_TRUE(boot.journal.needs_checkpoint());
    boot.compact({"live"});
    boot.store("bbbb");
    Boot next(file, 512);
    ASSERT_EQ(next.open(), Status::ok);
    EXPECT_EQ(next.texts(), (Texts{"live", "bbbb"}));
}

TEST_F(Flash, of_which_there_is_no_such_kind_is_refused) {
    EXPECT_EQ(format({2048, 8}), Status::ok);
    EXPECT_EQ(format({2048, 64}), Status::ok);
    EXPECT_EQ(format({256, 8}), Status::invalid_argument);
    EXPECT_EQ(format({2048, 4}), Status::invalid_argument);
    EXPECT_EQ(format({2048, 24}), Status::invalid_argument);
    EXPECT_EQ(format({2048, 128}), Status::invalid_argument);
    EXPECT_EQ(format({16 * 1024, 8}), Status::invalid_argument) << "no two banks of whole blocks";
    EXPECT_EQ(format({2048, 64}, 520), Status::invalid_argument) << "a buffer that is no multiple of a granule";
}

}  // namespace
}  // namespace dunlin::journal::test
