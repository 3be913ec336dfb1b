#include <dunlin_asio/file_device.hpp>

#include <dunlin/core/assert.hpp>

#include <dunlin_asio/host_error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <utility>

namespace dunlin_asio {
namespace {

using Mode = FileDeviceOptions::Mode;
using Kind = dunlin::journal::DeviceOp::Kind;

// Closes on the way out of a constructor that throws.
class Descriptor {
  public:
    explicit Descriptor(int value) : value_(value) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    [[nodiscard]] int get() const { return value_; }
    [[nodiscard]] int release() { return std::exchange(value_, -1); }

  private:
    int value_;
};

struct Opened {
    int descriptor;
    std::uint64_t bytes;
};

std::string name_of(const FileDeviceOptions& options) {
    return "the journal '" + (options.name.empty() ? options.path : options.name) + "'";
}

[[noreturn]] void fail(const FileDeviceOptions& options, const char* what) {
    throw HostError("cannot " + std::string(what) + " " + name_of(options), errno);
}

int open_file(const FileDeviceOptions& options) {
    const int create = options.mode == Mode::open_existing ? 0 : O_CREAT;
    const int descriptor = ::open(options.path.c_str(), O_RDWR | O_CLOEXEC | create, 0600);
    if (descriptor < 0) fail(options, options.mode == Mode::create_new ? "create" : "open");
    return descriptor;
}

void lock(int descriptor, const FileDeviceOptions& options) {
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return;
    if (errno == EWOULDBLOCK) throw HostError(name_of(options) + " is in use by another process.");
    fail(options, "lock");
}

bool write_zeros(int descriptor, std::uint64_t bytes) {
    static constexpr std::array<std::byte, 65536> kZeros{};
    for (std::uint64_t offset = 0; offset < bytes;) {
        const std::size_t length = static_cast<std::size_t>(std::min<std::uint64_t>(kZeros.size(), bytes - offset));
        const ssize_t written = ::pwrite(descriptor, kZeros.data(), length, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        offset += static_cast<std::uint64_t>(written);
    }
    return true;
}

// Space is reserved first, so that a full disk is told before anything is written. Then zeros are written, so that a later sync has
// no metadata to write. What fails leaves an empty file, which counts as none.
void fill_with_zeros(int descriptor, const FileDeviceOptions& options) {
    const bool reserved = ::fallocate(descriptor, 0, 0, static_cast<off_t>(options.bytes)) == 0 || errno == EOPNOTSUPP;
    if (!reserved || !write_zeros(descriptor, options.bytes) || ::fsync(descriptor) != 0) {
        const int error = errno;
        [[maybe_unused]] const int emptied = ::ftruncate(descriptor, 0);
        errno = error;
        fail(options, "create");
    }
    std::filesystem::path folder = std::filesystem::path(options.path).parent_path();
    if (folder.empty()) folder = ".";
    const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0 || ::fsync(directory.get()) != 0) fail(options, "create");
}

Opened open_device(const FileDeviceOptions& options) {
    Descriptor file(open_file(options));
    lock(file.get(), options);
    struct stat found {};
    if (::fstat(file.get(), &found) != 0) fail(options, "open");
    if (!S_ISREG(found.st_mode)) throw HostError(name_of(options) + " is not a regular file.");
    std::uint64_t bytes = static_cast<std::uint64_t>(found.st_size);
    // An empty file is one whose creator died early, or that nobody has filled yet.
    const bool create = bytes == 0 && options.mode != Mode::open_existing;
    if (!create && options.mode == Mode::create_new) throw HostError(name_of(options) + " exists already.");
    if (create) bytes = options.bytes;
    if (bytes < options.bytes_min) {
        throw HostError(name_of(options) + " has " + std::to_string(bytes) + " bytes, but needs at least " +
                        std::to_string(options.bytes_min) + ".");
    }
    if (create) fill_with_zeros(file.get(), options);
    return {.descriptor = file.release(), .bytes = bytes};
}

// 0, or errno.
int sync_data(int descriptor) {
    while (::fdatasync(descriptor) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

// An application's output may be a pipe or a terminal, which has nothing to sync (EINVAL, fsync(2)).
int sync_application_data(int descriptor) {
    const int error = sync_data(descriptor);
    return error == EINVAL ? 0 : error;
}

}  // namespace

FileDevice::FileDevice(asio::io_context& io, const FileDeviceOptions& options) : wake_(io) {
    Opened opened = open_device(options);
    descriptor_ = opened.descriptor;
    bytes_ = opened.bytes;
    // Signals are for the loop's thread: the worker inherits a mask that blocks them all.
    sigset_t all{};
    sigset_t before{};
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    worker_ = std::thread([this] { work(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

FileDevice::~FileDevice() {
    {
        const std::lock_guard guard(mutex_);
        closing_ = true;
    }
    arrived_.notify_one();
    worker_.join();
    ::close(descriptor_);
}

void FileDevice::start(const dunlin::journal::DeviceOp& operation) {
    DUNLIN_ASSERT(!busy_);
    DUNLIN_ASSERT(operation.offset <= bytes_ && operation.buffer.size() <= bytes_ - operation.offset);
    busy_ = true;
    if (operation.kind == Kind::sync && synced_) {
        at_once_ = Completion{.id = operation.id};
        return;
    }
    synced_ = false;
    Work work{.operation = operation};
    if (operation.kind == Kind::write && flush_) work.flush = flush_();
    {
        const std::lock_guard guard(mutex_);
        work_ = work;
    }
    arrived_.notify_one();
}

std::optional<FileDevice::Completion> FileDevice::take_completion() {
    if (at_once_) {
        busy_ = false;
        return std::exchange(at_once_, std::nullopt);
    }
    if (!wake_.take()) return std::nullopt;
    const std::lock_guard guard(mutex_);
    const std::optional<Done> done = std::exchange(done_, std::nullopt);
    if (!done) return std::nullopt;
    busy_ = false;
    synced_ = done->synced;
    if (done->failure) failure_ = done->failure;
    return done->completion;
}

void FileDevice::work() {
    std::unique_lock guard(mutex_);
    for (;;) {
        arrived_.wait(guard, [this] { return closing_ || work_.has_value(); });
        if (!work_) return;  // what was started is finished also when closing
        const Work work = *std::exchange(work_, std::nullopt);
        guard.unlock();
        const Done done = perform(work);
        guard.lock();
        done_ = done;
        guard.unlock();  // or the loop would wake up only to wait for it
        wake_.wake();
        guard.lock();
    }
}

FileDevice::Done FileDevice::perform(const Work& work) const {
    Done done{.completion = {.id = work.operation.id}, .failure = attempt(work)};
    if (done.failure) done.completion.status = dunlin::Status::device_error;
    if (!done.failure) done.completion.bytes = work.operation.buffer.size();
    done.synced = !done.failure && work.operation.sync_follows;
    return done;
}

std::optional<FileDevice::Failure> FileDevice::attempt(const Work& work) const {
    if (work.flush.status != dunlin::Status::ok) return Failure{.of_application = true};
    if (work.flush.descriptor >= 0) {
        if (const int error = sync_application_data(work.flush.descriptor); error != 0)
            return Failure{.error_number = error, .of_application = true};
    }
    int error = work.operation.kind == Kind::sync ? 0 : transfer(work.operation);
    if (error == 0 && (work.operation.kind == Kind::sync || work.operation.sync_follows)) error = sync_data(descriptor_);
    return error == 0 ? std::nullopt : std::optional(Failure{.error_number = error});
}

// 0, or errno; ENODATA where somebody cut the file short.
int FileDevice::transfer(const dunlin::journal::DeviceOp& operation) const {
    const bool reading = operation.kind == Kind::read;
    std::size_t done = 0;
    while (done < operation.buffer.size()) {
        const std::span<std::byte> rest = operation.buffer.subspan(done);
        const off_t offset = static_cast<off_t>(operation.offset + done);
        const ssize_t count =
            reading ? ::pread(descriptor_, rest.data(), rest.size(), offset) : ::pwrite(descriptor_, rest.data(), rest.size(), offset);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? errno : ENODATA;
        done += static_cast<std::size_t>(count);
    }
    return 0;
}

}  // namespace dunlin_asio
