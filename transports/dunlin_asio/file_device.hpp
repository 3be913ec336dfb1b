#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/journal/device.hpp>

#include <dunlin_asio/wake.hpp>

#include <asio/io_context.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace dunlin_asio {

struct FileDeviceOptions {
    enum class Mode : std::uint8_t { open_existing, create_new, open_or_create };
    std::string path;
    std::string name{};                   // as errors tell it; empty: the path
    std::uint64_t bytes = 4U << 20;       // of a file that is created
    std::uint64_t bytes_min = 64U << 10;  // a smaller file is refused
    Mode mode = Mode::open_or_create;
};

// A file of fixed size as the journal's block device. Every operation, the sync above all, runs on one worker thread, so that
// a slow disk never holds up the loop. The file is locked for as long as it is open: a second process that opens it is told
// so. It is created full of zeros (a blank journal), synced together with its directory. A write that a sync follows is synced along
// with it: a commit costs the worker one visit. No allocation after construction.
class FileDevice {
  public:
    // What an application's own file wants done before a journal write, see before_write().
    struct Flush {
        dunlin::Status status = dunlin::Status::ok;  // anything else fails the write: device_error
        int descriptor = -1;                         // its data are synced first; -1: nothing changed
    };
    struct Completion {
        std::uint32_t id = 0;
        dunlin::Status status = dunlin::Status::ok;  // ok, or device_error
        std::size_t bytes = 0;                       // read
    };
    // Why an operation failed.
    struct Failure {
        int error_number = 0;         // errno; 0: none, since before_write() said no
        bool of_application = false;  // its file could not be written or synced, see before_write()
    };

    // Throws HostError: not there, there already (create_new), unwritable, locked by another process, too small, disk full.
    FileDevice(asio::io_context& io, const FileDeviceOptions& options);
    FileDevice(const FileDevice&) = delete;
    FileDevice& operator=(const FileDevice&) = delete;
    ~FileDevice();  // waits for the operation that is under way

    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    // An application that keeps its position in the journal must never have a position ahead of its data. `flush` runs on the
    // loop before each write: it hands the application's buffered bytes to the kernel and names the file that must be
    // on disk before the journal's bytes may be (they can reach the disk at any time once written, sync or not).
    void before_write(std::function<Flush()> flush) { flush_ = std::move(flush); }

    // Starts an operation; one at a time. Its buffer must stay until the completion is taken.
    void start(const dunlin::journal::DeviceOp& operation);
    [[nodiscard]] bool busy() const { return busy_; }
    // The completion, once; the io_context wakes up for it.
    [[nodiscard]] std::optional<Completion> take_completion();
    // Of the last operation that failed, once its completion was taken.
    [[nodiscard]] std::optional<Failure> failure() const { return failure_; }

  private:
    struct Work {
        dunlin::journal::DeviceOp operation{};
        Flush flush{};
    };
    struct Done {
        Completion completion{};
        bool synced = false;  // along with the write
        std::optional<Failure> failure{};
    };
    void work();
    [[nodiscard]] Done perform(const Work& work) const;
    [[nodiscard]] std::optional<Failure> attempt(const Work& work) const;
    [[nodiscard]] int transfer(const dunlin::journal::DeviceOp& operation) const;

    int descriptor_ = -1;
    std::uint64_t bytes_ = 0;
    bool busy_ = false;    // loop thread only, as the next four
    bool synced_ = false;  // everything written is on the disk
    std::optional<Completion> at_once_;
    std::optional<Failure> failure_;
    std::function<Flush()> flush_;
    Wake wake_;
    std::mutex mutex_;  // guards the next three
    std::optional<Work> work_;
    std::optional<Done> done_;
    bool closing_ = false;
    std::condition_variable arrived_;
    std::thread worker_;
};

}  // namespace dunlin_asio
