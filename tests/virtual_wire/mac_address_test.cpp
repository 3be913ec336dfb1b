#include "frames.hpp"

#include <mac_address.hpp>

#include <gtest/gtest.h>

namespace dunlin_wire {
namespace {

TEST(MacAddress, is_read_as_people_write_it) {
    EXPECT_EQ(read_mac_address("02:00:0a:09:00:ff"), MacAddress{0x0200'0a09'00ffU});
    EXPECT_EQ(read_mac_address("02:00:0A:09:00:FF"), MacAddress{0x0200'0a09'00ffU});
    for (const char* const text :
         {"", "02:00:0a:09:00", "02:00:0a:09:00:f", "02:00:0a:09:00:fg", "02-00-0a-09-00-ff", "02:00:0a:09:00:ff:", "02:00:0a:09:00:+f"}) {
        EXPECT_FALSE(read_mac_address(text)) << text;
    }
}

TEST(MacAddress, destination_comes_first_in_a_frame) {
    const auto frame = frame_of(MacAddress{0x0102'0304'0506U}, MacAddress{0x0a0b'0c0d'0e0fU});
    EXPECT_EQ(destination_of(frame), MacAddress{0x0102'0304'0506U});
    EXPECT_EQ(source_of(frame), MacAddress{0x0a0b'0c0d'0e0fU});
    EXPECT_EQ(frame[0], std::byte{1});
}

TEST(MacAddress, of_a_group_has_the_lowest_bit_of_its_first_byte) {
    EXPECT_TRUE(is_group(kBroadcast));
    EXPECT_TRUE(is_group(MacAddress{0x0100'5e00'0001U}));
    EXPECT_FALSE(is_group(mac_address_for(0x0a09'0001U)));
    EXPECT_EQ(mac_address_for(0x0a09'0001U), MacAddress{0x0200'0a09'0001U});
}

}  // namespace
}  // namespace dunlin_wire
