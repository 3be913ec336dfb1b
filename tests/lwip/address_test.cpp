#include <dunlin_lwip/address.hpp>

#include <gtest/gtest.h>

namespace dunlin_lwip {
namespace {

TEST(LwipAddress, reads_what_a_person_writes) {
    EXPECT_EQ(parse_endpoint("10.9.0.13:7000"), (Endpoint{.address = {0x0a09000d}, .port = 7000}));
    EXPECT_EQ(parse_endpoint("255.0.0.1:65535"), (Endpoint{.address = {0xff000001}, .port = 65535}));
    EXPECT_EQ(parse_ipv4("0.0.0.0"), Ipv4Address{});
    EXPECT_EQ(parse_ipv4("192.168.1.20"), Ipv4Address{0xc0a80114});
}

TEST(LwipAddress, refuses_everything_else) {
    for (const char* text : {"", ":", "10.9.0.13", "10.9.0.13:", "10.9.0.13:0", "10.9.0.13:65536", "10.9.0:7000", "10.9.0.13.1:7000",
                             "10.9.0.256:7000", "10.9.0.013:7000", "10.9.0.-1:7000", "10.9..13:7000", " 10.9.0.13:7000", "10.9.0.13:7000 ",
                             "10.9.0.13:07", "valve:7000", "10.9.0.99999999999:7000"}) {
        EXPECT_FALSE(parse_endpoint(text)) << text;
    }
    for (const char* text : {"", "10.9.0", "10.9.0.13:1", "10.9.0.1 3", "0x0a.9.0.1"}) EXPECT_FALSE(parse_ipv4(text)) << text;
}

TEST(LwipAddress, knows_what_a_netmask_is) {
    for (const char* text : {"255.255.255.0", "255.255.255.252", "128.0.0.0", "255.255.240.0"})
        EXPECT_TRUE(is_netmask(*parse_ipv4(text))) << text;
    for (const char* text : {"0.0.0.0", "255.255.255.255", "255.255.255.254", "255.0.255.0", "0.0.0.255"}) {
        EXPECT_FALSE(is_netmask(*parse_ipv4(text))) << text;
    }
}

}  // namespace
}  // namespace dunlin_lwip
