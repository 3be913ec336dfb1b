#include <gtest/gtest.h>
#include <voter_entry.hpp>

namespace {

using namespace dunlin_tool;

TEST(VoterEntry, what_join_prints_init_reads) {
    const VoterEntry entry{dunlin::NodeId{65535}, dunlin::StorageId{0x0123456789abcdef}, "[::1]:7001"};
    EXPECT_EQ(to_text(entry), "65535:0123456789abcdef@[::1]:7001");
    const auto read = read_voter_entry(to_text(entry));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->node, entry.node);
    EXPECT_EQ(read->storage, entry.storage);
    EXPECT_EQ(read->address, entry.address);
}

TEST(VoterEntry, anything_else_is_refused) {
    for (const char* const text :
         {"", "1", "1:2", "1@a:1", "0:2@a:1", "1:0@a:1", "65536:2@a:1", "1:g@a:1", "1:2@a", "1:2@a:0", "1:11112222333344445@a:1",
          "1:2@127.0.0:1", "1:2@999.1.1.1:1", "1:2@a b:1", "1:2@-a:1", "1:2@http://a:1", "1:2@[::x]:1"}) {
        EXPECT_FALSE(read_voter_entry(text).has_value()) << text;
    }
}

}  // namespace
