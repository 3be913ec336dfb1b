#include "frames.hpp"

#include <frame_socket.hpp>

#include <tool_error.hpp>

#include <asio/io_context.hpp>

#include <gmock/gmock.h>

#include <unistd.h>
#include <filesystem>
#include <memory>
#include <string>

namespace dunlin_wire {
namespace {

using testing::HasSubstr;

class FrameSocketTest : public testing::Test {
  protected:
    FrameSocketTest() { std::filesystem::create_directory(folder_); }
    ~FrameSocketTest() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path(const char* name) const { return folder_ + "/" + name; }
    [[nodiscard]] std::unique_ptr<FrameSocket> open(const char* own, const char* other) {
        return std::make_unique<FrameSocket>(io_, path(own), path(other));
    }
    [[nodiscard]] std::string refusal(const std::string& own, const std::string& other) {
        try {
            FrameSocket socket(io_, own, other);
        } catch (const dunlin_tool::ToolError& error) { return error.what(); }
        return "none";
    }

    std::string folder_ = testing::TempDir() + "dunlin-wire-" + std::to_string(::getpid());
    asio::io_context io_;
    std::vector<std::byte> frame_ = frame_of(kBroadcast, station(1), 5);
};

TEST_F(FrameSocketTest, frames_go_both_ways_whole) {
    const auto one = open("one", "other");
    const auto other = open("other", "one");
    EXPECT_EQ(one->send(frame_), Handover::taken);
    const auto received = other->receive();
    ASSERT_TRUE(received);
    EXPECT_THAT(*received, testing::ElementsAreArray(frame_));
    EXPECT_FALSE(other->receive());
    EXPECT_EQ(other->send(std::vector<std::byte>(kFrameBytesMax)), Handover::taken);
    EXPECT_EQ(one->receive().value().size(), kFrameBytesMax);
}

TEST_F(FrameSocketTest, whoever_binds_the_other_path_has_the_other_end) {
    const auto one = open("one", "other");
    EXPECT_EQ(one->send(frame_), Handover::absent);
    for (int life = 0; life < 2; ++life) {
        auto other = open("other", "one");
        EXPECT_EQ(one->send(frame_), Handover::taken);
        EXPECT_TRUE(other->receive());
        other.reset();
        EXPECT_EQ(one->send(frame_), Handover::absent);
    }
}

TEST_F(FrameSocketTest, an_end_that_does_not_read_is_full_and_takes_again_once_it_has_read) {
    const auto one = open("one", "other");
    const auto other = open("other", "one");
    int sent = 0;
    while (sent < 100'000 && one->send(frame_) == Handover::taken) ++sent;
    EXPECT_EQ(one->send(frame_), Handover::full);
    EXPECT_TRUE(other->receive());
    EXPECT_EQ(one->send(frame_), Handover::taken);
}

TEST_F(FrameSocketTest, a_longer_datagram_than_a_frame_is_seen_to_be_one) {
    const auto one = open("one", "other");
    const auto other = open("other", "one");
    EXPECT_EQ(one->send(std::vector<std::byte>(kFrameBytesMax + 100)), Handover::taken);
    EXPECT_GT(other->receive().value().size(), kFrameBytesMax);
}

TEST_F(FrameSocketTest, a_path_that_is_left_over_is_taken_over_and_one_in_use_is_not) {
    const auto one = open("one", "other");
    EXPECT_THAT(refusal(path("one"), path("other")), HasSubstr("'" + path("one") + "' is in use by another process"));
    asio::local::datagram_protocol::socket(io_, asio::local::datagram_protocol::endpoint(path("left"))).close();
    ASSERT_TRUE(std::filesystem::exists(path("left")));
    EXPECT_EQ(refusal(path("left"), path("other")), "none");
}

TEST_F(FrameSocketTest, a_path_that_cannot_be_a_sockets_is_told) {
    const std::string long_path(200, 'x');
    EXPECT_THAT(refusal(long_path, path("other")), AllOf(HasSubstr(long_path), HasSubstr("too long"), HasSubstr("107")));
    EXPECT_THAT(refusal(path("one"), long_path), HasSubstr("too long"));
    EXPECT_THAT(refusal("", path("other")), HasSubstr("empty"));
    EXPECT_THAT(refusal(path("none/one"), path("other")), HasSubstr("none/one"));
    EXPECT_THAT(refusal(folder_, path("other")), HasSubstr(folder_));  // a folder stays
    EXPECT_TRUE(std::filesystem::is_directory(folder_));
}

}  // namespace
}  // namespace dunlin_wire
