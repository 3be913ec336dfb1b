#include <dunlin_asio/address.hpp>
#include <dunlin_asio/host_error.hpp>

#include <gtest/gtest.h>

namespace dunlin_asio {
namespace {

TEST(Address, reads_numeric_v4_and_v6_and_writes_them_back) {
    for (const char* text : {"127.0.0.1:7000", "[::1]:7000", "0.0.0.0:0", "[fe80::1%1]:65535"}) {
        const std::optional<Endpoint> endpoint = numeric_address(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(numeric_address(to_string(*endpoint)), endpoint) << to_string(*endpoint);
    }
    EXPECT_EQ(to_string(*numeric_address("127.0.0.1:7000")), "127.0.0.1:7000");
    EXPECT_EQ(to_string(*numeric_address("[::1]:7000")), "[::1]:7000");
}

TEST(Address, writes_a_v4_address_mapped_into_v6_as_v4) { EXPECT_EQ(to_string(*numeric_address("[::ffff:10.0.0.1]:1")), "10.0.0.1:1"); }

TEST(Address, refuses_what_is_not_host_and_port) {
    for (const char* text :
         {"", ":", ":7000", "host", "host:", "host:port", "host:65536", "host:-1", "::1:7000", "[]:1", "[::1:7000", "host:70 "}) {
        EXPECT_FALSE(split_address(text)) << text;
        EXPECT_FALSE(numeric_address(text)) << text;
    }
}

TEST(Address, leaves_names_to_the_resolver) {
    EXPECT_FALSE(numeric_address("localhost:7000"));
    const std::optional<HostPort> parts = split_address("localhost:7000");
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->host, "localhost");
    EXPECT_EQ(parts->port, "7000");
}

TEST(Address, says_in_one_sentence_why_an_address_cannot_be_used) {
    asio::io_context io;
    try {
        static_cast<void>(resolve_address(io, "nonsense"));
        FAIL() << "accepted";
    } catch (const HostError& error) { EXPECT_EQ(error.message, "'nonsense' is not an address: write host:port or [v6-address]:port."); }
}

}  // namespace
}  // namespace dunlin_asio
