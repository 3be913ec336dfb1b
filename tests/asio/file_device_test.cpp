#include "asio/run_until.hpp"

#include <dunlin_asio/file_device.hpp>
#include <dunlin_asio/host_error.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace dunlin_asio {
namespace {

using asio_test::run_until;
using dunlin::Status;
using dunlin::journal::DeviceOp;
using Mode = FileDeviceOptions::Mode;

class FileDeviceTest : public testing::Test {
  protected:
    FileDeviceTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "dunlin-asio-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~FileDeviceTest() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] FileDeviceOptions options() const { return {.path = path_of("journal"), .bytes = 128U << 10}; }
    [[nodiscard]] std::string path_of(const char* name) const { return (folder_ / name).string(); }

    FileDevice::Completion perform(FileDevice& device, const DeviceOp& operation) {
        device.start(operation);
        std::optional<FileDevice::Completion> completion;
        EXPECT_TRUE(run_until(io_, [&] { return (completion = device.take_completion()).has_value(); }));
        EXPECT_FALSE(device.busy());
        EXPECT_EQ(completion->id, operation.id);
        return *completion;
    }
    static std::string refusal(const FileDeviceOptions& options) {
        asio::io_context io;
        try {
            const FileDevice device(io, options);
        } catch (const HostError& error) { return error.message; }
        return "accepted";
    }

    std::filesystem::path folder_;
    asio::io_context io_;
};

TEST_F(FileDeviceTest, reads_back_what_was_written_also_after_it_is_opened_again) {
    std::array<std::byte, 1000> bytes;
    bytes.fill(std::byte{0x5a});
    {
        FileDevice device(io_, options());
        EXPECT_EQ(device.bytes(), 128U << 10);
        EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::write, .id = 1, .offset = 4096, .buffer = bytes}).status, Status::ok);
        EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::sync, .id = 2}).status, Status::ok);
    }
    FileDevice device(io_, options());
    std::array<std::byte, 1002> back;
    const FileDevice::Completion completion = perform(device, {.kind = DeviceOp::Kind::read, .id = 3, .offset = 4095, .buffer = back});
    EXPECT_EQ(completion.status, Status::ok);
    EXPECT_EQ(completion.bytes, back.size());
    EXPECT_EQ(back.front(), std::byte{0});
    EXPECT_EQ(back[1], std::byte{0x5a});
    EXPECT_EQ(back[1000], std::byte{0x5a});
    EXPECT_EQ(back.back(), std::byte{0});
}

TEST_F(FileDeviceTest, finishes_what_was_started_before_it_closes) {
    std::array<std::byte, 8> bytes;
    bytes.fill(std::byte{1});
    {
        FileDevice device(io_, options());
        device.start({.kind = DeviceOp::Kind::write, .id = 1, .offset = 0, .buffer = bytes});
    }
    std::ifstream file(path_of("journal"), std::ios::binary);
    EXPECT_EQ(file.get(), 1);
}

TEST_F(FileDeviceTest, reports_an_error_where_the_file_was_cut_short_underneath) {
    FileDevice device(io_, options());
    std::filesystem::resize_file(path_of("journal"), 4096);
    std::array<std::byte, 8> bytes{};
    EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::read, .id = 1, .offset = 8192, .buffer = bytes}).status, Status::device_error);
    ASSERT_TRUE(device.failure().has_value());
    EXPECT_EQ(device.failure()->error_number, ENODATA);
    EXPECT_FALSE(device.failure()->of_application);
}

TEST_F(FileDeviceTest, has_nothing_left_to_sync_behind_a_write_that_it_was_told_a_sync_follows) {
    FileDevice device(io_, options());
    std::array<std::byte, 8> bytes{};
    const auto done_at_once = [&](std::uint32_t id) {
        device.start({.kind = DeviceOp::Kind::sync, .id = id});
        const std::optional<FileDevice::Completion> completion = device.take_completion();  // the loop has not run: no worker can have told
        if (completion) {
            EXPECT_EQ(completion->id, id);
            EXPECT_EQ(completion->status, Status::ok);
            EXPECT_FALSE(device.busy());
        } else {
            EXPECT_TRUE(run_until(io_, [&] { return device.take_completion().has_value(); }));
        }
        return completion.has_value();
    };
    EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::write, .sync_follows = true, .id = 1, .buffer = bytes}).status, Status::ok);
    EXPECT_TRUE(done_at_once(2));
    EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::write, .id = 3, .buffer = bytes}).status, Status::ok);
    EXPECT_FALSE(done_at_once(4));
    std::filesystem::resize_file(path_of("journal"), 4096);  // what fails is not synced either
    EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::read, .sync_follows = true, .id = 5, .offset = 8192, .buffer = bytes}).status,
              Status::device_error);
    EXPECT_FALSE(done_at_once(6));
}

TEST_F(FileDeviceTest, flushes_the_applications_file_before_each_write_and_at_no_other_time) {
    FileDevice device(io_, options());
    const int data = ::open(path_of("data").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(data, 0);
    int flushes = 0;
    device.before_write([&] {
        ++flushes;
        return FileDevice::Flush{.descriptor = data};
    });
    std::array<std::byte, 8> bytes{};
    EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::read, .id = 1, .buffer = bytes}).status, Status::ok);
    EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::sync, .id = 2}).status, Status::ok);
    EXPECT_EQ(flushes, 0);
    EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::write, .id = 3, .buffer = bytes}).status, Status::ok);
    EXPECT_EQ(flushes, 1);
    ::close(data);
}

TEST_F(FileDeviceTest, writes_nothing_when_the_applications_data_could_not_be_made_durable) {
    FileDevice device(io_, options());
    std::array<std::byte, 8> bytes;
    bytes.fill(std::byte{1});
    for (const FileDevice::Flush failing : {FileDevice::Flush{.status = Status::device_error}, FileDevice::Flush{.descriptor = 9999}}) {
        device.before_write([=] { return failing; });
        EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::write, .id = 1, .buffer = bytes}).status, Status::device_error);
        ASSERT_TRUE(device.failure().has_value());
        EXPECT_TRUE(device.failure()->of_application);
        EXPECT_EQ(device.failure()->error_number, failing.status == Status::ok ? EBADF : 0);
        std::array<std::byte, 8> back;
        EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::read, .id = 2, .buffer = back}).status, Status::ok);
        EXPECT_EQ(back[0], std::byte{0});
    }
}

TEST_F(FileDeviceTest, an_output_that_cannot_be_synced_is_no_failure) {
    FileDevice device(io_, options());
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    device.before_write([&] { return FileDevice::Flush{.descriptor = ends[1]}; });
    std::array<std::byte, 8> bytes{};
    EXPECT_EQ(perform(device, {.kind = DeviceOp::Kind::write, .id = 1, .buffer = bytes}).status, Status::ok);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(FileDeviceTest, two_processes_never_share_a_journal) {
    const FileDevice device(io_, options());
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) { std::_Exit(refusal(options()) == "the journal '" + path_of("journal") + "' is in use by another process." ? 0 : 1); }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(refusal(options()), "the journal '" + path_of("journal") + "' is in use by another process.");
}

TEST_F(FileDeviceTest, says_in_one_sentence_why_it_cannot_open) {
    FileDeviceOptions wrong = options();
    wrong.mode = Mode::open_existing;
    EXPECT_EQ(refusal(wrong), "cannot open the journal '" + wrong.path + "': No such file or directory.");
    wrong.path = path_of("missing/journal");
    wrong.mode = Mode::create_new;
    EXPECT_EQ(refusal(wrong), "cannot create the journal '" + wrong.path + "': No such file or directory.");
    wrong.path = folder_.string();
    wrong.mode = Mode::open_or_create;
    EXPECT_EQ(refusal(wrong), "cannot open the journal '" + wrong.path + "': Is a directory.");
    wrong.path = "/dev/null";
    EXPECT_EQ(refusal(wrong), "the journal '/dev/null' is not a regular file.");
}

TEST_F(FileDeviceTest, refuses_a_file_that_is_too_small_and_one_that_exists_when_a_new_one_was_asked_for) {
    std::ofstream(path_of("journal")) << "short";
    EXPECT_EQ(refusal(options()), "the journal '" + path_of("journal") + "' has 5 bytes, but needs at least 65536.");
    FileDeviceOptions again = options();
    again.mode = Mode::create_new;
    EXPECT_EQ(refusal(again), "the journal '" + path_of("journal") + "' exists already.");
}

TEST_F(FileDeviceTest, says_so_when_there_is_no_room_for_a_new_file_and_leaves_none_behind) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string message = refusal(options());
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old_handler);
    EXPECT_EQ(message, "cannot create the journal '" + path_of("journal") + "': File too large.");
    EXPECT_EQ(std::filesystem::file_size(path_of("journal")), 0U);
    EXPECT_EQ(refusal(options()), "accepted");
}

}  // namespace
}  // namespace dunlin_asio
