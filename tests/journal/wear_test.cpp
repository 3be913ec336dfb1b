#include "boot.hpp"

#include <dunlin/journal/wear.hpp>

#include <gtest/gtest.h>

namespace dunlin::journal::test {
namespace {

// Two renewals of a lease a minute, a vote now and then: some 3,000 records of 64 bytes a day, on 64 KiB of a controller's own flash.
constexpr Wear kController{
    .flash_bytes = 64 * 1024, .erase_bytes = 4096, .cycles = 10'000, .live_bytes = 4096, .bytes_a_day = 3'000 * record_bytes(64, 16)};
static_assert(kController.years() >= 2);

// The same on a serial NOR of 1 MiB that is good for 100,000.
constexpr Wear kSerial{
    .flash_bytes = 1024 * 1024, .erase_bytes = 4096, .cycles = 100'000, .live_bytes = 4096, .bytes_a_day = 3'000 * record_bytes(64, 16)};
static_assert(kSerial.years() >= 100);

// A message a second is too much for the small one.
constexpr Wear kBusy{.flash_bytes = 64 * 1024,
                     .erase_bytes = 4096,
                     .cycles = 10'000,
                     .live_bytes = 4096,
                     .bytes_a_day = 86'400 * std::uint64_t{record_bytes(64, 16)}};
static_assert(kBusy.years() < 1);

static_assert(Wear{.flash_bytes = 16 * 1024, .erase_bytes = 4096, .cycles = 10'000, .live_bytes = 7500, .bytes_a_day = 1}.years() == 0,
              "the live state leaves no room");

// With `starts` and records of all sizes, as much as this is appended and no more.
unsigned erases_of_a_day(std::size_t device_bytes, Geometry geometry, unsigned starts, std::uint64_t bytes) {
    MemoryDevice device(device_bytes, geometry);
    Boot(device, 512).format(StorageId{starts * 31 + geometry.erase_bytes});
    Random random(starts);
    std::uint64_t appended = 0;
    for (unsigned start = 1; start <= starts; ++start) {
        Boot boot(device, 512);
        EXPECT_EQ(boot.open(), Status::ok);
        while (appended < bytes * start / starts) {
            if (boot.journal.needs_checkpoint()) boot.compact({std::string(400, 'x'), std::string(400, 'x')});
            const auto length = static_cast<std::size_t>(random.below(200));
            boot.store(std::string(length, 'x'));
            appended += record_bytes(static_cast<std::uint32_t>(length), geometry.program_bytes);
        }
    }
    return device.most_erases() - 1;  // one was of the format
}

TEST(Wear, is_never_more_than_what_is_calculated_and_at_least_half_of_it) {
    for (const Geometry geometry : {Geometry{1024, 8}, Geometry{4096, 32}, Geometry{8192, 64}}) {
        for (const std::uint32_t device_bytes : {16U * 1024, 64U * 1024}) {
            const Wear wear{.flash_bytes = device_bytes,
                            .erase_bytes = geometry.erase_bytes,
                            .cycles = 1000,
                            .live_bytes = 2 * record_bytes(400, geometry.program_bytes) + record_bytes(6, geometry.program_bytes),
                            .bytes_a_day = 500'000,
                            .starts_a_day = 5};
            const unsigned erases = erases_of_a_day(device_bytes, geometry, wear.starts_a_day, wear.bytes_a_day);
            EXPECT_LE(erases, wear.erases_a_day()) << device_bytes << " bytes in blocks of " << geometry.erase_bytes;
            EXPECT_GE(2 * erases, wear.erases_a_day()) << device_bytes << " bytes in blocks of " << geometry.erase_bytes;
        }
    }
}

}  // namespace
}  // namespace dunlin::journal::test
