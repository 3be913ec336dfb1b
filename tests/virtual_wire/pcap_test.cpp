#include <pcap_file.hpp>
#include <pcap_format.hpp>

#include <tool_error.hpp>

#include <gmock/gmock.h>

#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace dunlin_wire {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
    std::vector<std::byte> result;
    for (const int each : values) result.push_back(static_cast<std::byte>(each));
    return result;
}

TEST(PcapFormat, header_and_record_are_those_of_the_specification) {
    std::vector<std::byte> file;
    append_pcap_header(file);
    EXPECT_EQ(file, bytes({0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3a, 0x23, 0, 0, 1, 0, 0, 0}));
    file.clear();
    append_pcap_record(file, 0x01020304LL * 1'000'000 + 0x0a0b0, bytes({7, 8, 9}));
    EXPECT_EQ(file, bytes({4, 3, 2, 1, 0xb0, 0xa0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 7, 8, 9}));
}

class PcapFileTest : public testing::Test {
  protected:
    PcapFileTest() { std::filesystem::remove(path_); }
    ~PcapFileTest() override { std::filesystem::remove(path_); }

    [[nodiscard]] std::string content() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::string path_ = testing::TempDir() + "dunlin-pcap-test-" + std::to_string(::getpid());
};

TEST_F(PcapFileTest, what_was_flushed_can_be_read_while_it_is_open) {
    PcapFile file(path_, dunlin::Instant{});
    EXPECT_EQ(content().size(), 24U);
    file.record(dunlin::Instant{dunlin::seconds{1}}, bytes({1, 2, 3}));
    EXPECT_EQ(content().size(), 24U);
    file.flush();
    EXPECT_EQ(content().size(), 24U + 16 + 3);
    file.flush();
    EXPECT_EQ(content().size(), 24U + 16 + 3);
}

TEST_F(PcapFileTest, a_file_that_cannot_be_made_or_written_is_told_by_its_name) {
    try {
        PcapFile file("/nowhere/at/all", dunlin::Instant{});
        FAIL();
    } catch (const dunlin_tool::ToolError& error) { EXPECT_THAT(error.what(), testing::HasSubstr("'/nowhere/at/all'")); }
    EXPECT_THROW(PcapFile("/dev/full", dunlin::Instant{}), dunlin_tool::ToolError);
}

}  // namespace
}  // namespace dunlin_wire
