#include <dunlin/journal/format_info.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::journal {
namespace {

FormatInfo sample() {
    FormatInfo info{.node = NodeId{7}, .storage = StorageId{0x1122334455667788U}, .stream = StreamId{42}};
    EXPECT_EQ(info.set_cluster_name("harbour"), Status::ok);
    return info;
}

TEST(FormatInfo, comes_back_as_it_was_encoded) {
    const FormatInfo written = sample();
    const Result<FormatInfo> info = decode_format_info(encode(written));
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info.value().storage, sample().storage);
    EXPECT_EQ(info.value().stream, sample().stream);
    EXPECT_EQ(info.value().node, sample().node);
    EXPECT_EQ(info.value().cluster_name(), "harbour");
}

TEST(FormatInfo, takes_a_cluster_name_of_32_bytes_and_no_more) {
    FormatInfo info = sample();
    EXPECT_EQ(info.set_cluster_name(std::string(33, 'x')), Status::invalid_argument);
    EXPECT_EQ(info.cluster_name(), "harbour");
    EXPECT_EQ(info.set_cluster_name(std::string(32, 'x')), Status::ok);
    EXPECT_EQ(decode_format_info(encode(info)).value().cluster_name(), std::string(32, 'x'));
}

TEST(FormatInfo, of_a_newer_runtime_is_an_unsupported_version_whatever_its_length) {
    FormatInfo info = sample();
    info.version = kFormatVersion + 1;
    const auto bytes = encode(info);
    EXPECT_EQ(decode_format_info(bytes).status(), Status::unsupported_version);
    EXPECT_EQ(decode_format_info(bytes.first(2)).status(), Status::unsupported_version);
}

TEST(FormatInfo, of_a_wrong_length_or_name_length_is_corrupt) {
    FormatInfo info = sample();
    EXPECT_EQ(decode_format_info(encode(info).first(kFormatInfoBytes - 1)).status(), Status::corrupt);
    EXPECT_EQ(decode_format_info({}).status(), Status::corrupt);
    info.cluster_length = 33;
    EXPECT_EQ(decode_format_info(encode(info)).status(), Status::corrupt);
}

}  // namespace
}  // namespace dunlin::journal
