#include "journal_file.hpp"

#include "tool_error.hpp"

#include <dunlin/core/counters.hpp>
#include <dunlin/journal/journal.hpp>

#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/file_device.hpp>
#include <dunlin_asio/format_file.hpp>
#include <dunlin_asio/host_error.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <asio/io_context.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace dunlin_tool {
namespace {

// Makes the file `path`, of which errors tell as `name`. `Formatter` is made of a journal and `plan`.
template <class Formatter, class Plan>
void format_new(const std::string& path, const std::string& name, std::uint64_t bytes, std::size_t buffer_bytes, const Plan& plan) {
    using Options = dunlin_asio::FileDeviceOptions;
    asio::io_context io(1);
    dunlin_asio::FileDevice file(io, Options{.path = path, .name = name, .bytes = bytes, .mode = Options::Mode::create_new});
    std::vector<std::byte> buffer(buffer_bytes);
    dunlin::Counters counters;
    dunlin::journal::Journal journal({buffer}, counters);
    Formatter formatter(journal, plan);
    const dunlin::Status status = dunlin_asio::format(io, file, formatter);
    if (status == dunlin::Status::device_error && file.failure())
        throw dunlin_asio::HostError("cannot format the journal '" + name + "'", file.failure()->error_number);
    if (status != dunlin::Status::ok)
        throw ToolError(kCannotStart, "cannot format the journal '" + name + "': " + std::string(dunlin::to_string(status)) + ".");
}

// Gives the file its name, unless somebody else did so in the meantime.
void publish_under(const std::string& name, const std::string& path) {
    const bool linked = ::link(name.c_str(), path.c_str()) == 0;
    const int error = errno;
    ::unlink(name.c_str());
    if (!linked) throw dunlin_asio::HostError("cannot create the journal '" + path + "'", error);
    sync_folder_of(path, "the journal '" + path + "'");
}

// `format` makes the file under the name that it is given.
template <class Format>
void make_under(const std::string& path, Format format) {
    std::error_code unusable;  // making it says what is wrong
    if (std::filesystem::exists(path, unusable))
        throw ToolError(kCannotStart, "the journal '" + path + "' exists already; nothing was changed.");
    // A name of its own: another process may be making the same journal, of which publish_under() lets one have the name.
    const std::string forming = path + ".forming." + std::to_string(dunlin_asio::random_nonzero_u64());
    try {
        format(forming);
    } catch (...) {
        ::unlink(forming.c_str());
        throw;
    }
    publish_under(forming, path);
}

std::string why_device_failed(const std::string& path, const std::optional<dunlin_asio::FileDevice::Failure>& failure) {
    const bool output = failure && failure->of_application;
    const std::string what = output ? "the output cannot be written to the disk before the journal '" + path + "' is"
                                    : "the journal '" + path + "' cannot be read or written";
    if (!failure || failure->error_number == 0) return what + ".";
    return what + ": " + (failure->error_number == ENODATA ? "somebody cut the file short" : std::strerror(failure->error_number)) + ".";
}

}  // namespace

void sync_folder_of(const std::string& path, const std::string& name) {
    std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (folder.empty()) folder = ".";
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) throw dunlin_asio::HostError("cannot create " + name, error);
}

dunlin::FormatPlan fresh_plan(std::uint16_t id, std::string_view cluster) {
    dunlin::FormatPlan plan;
    plan.node = dunlin::NodeId{id};
    plan.storage = dunlin::StorageId{dunlin_asio::random_nonzero_u64()};
    plan.stream = dunlin::StreamId{dunlin_asio::random_nonzero_u64()};
    plan.cluster = cluster;
    return plan;
}

void make_journal(const std::string& path, std::uint64_t bytes, const dunlin::FormatPlan& plan) {
    make_under(path, [&](const std::string& forming) { format_new<dunlin::Formatter>(forming, path, bytes, 4096, plan); });
}

void make_journal(const std::string& path, std::uint64_t bytes, const JournalPlan& plan) {
    make_under(path, [&](const std::string& forming) { format_new<RecordWriter>(forming, path, bytes, plan.record_bytes_max, plan); });
}

std::string why_journal_failed(const std::string& path, const std::string& node, dunlin::Status status,
                               const std::optional<dunlin_asio::FileDevice::Failure>& failure) {
    const std::string journal = "the journal '" + path + "' ";
    switch (status) {
        case dunlin::Status::blank:
            return journal + "is blank; make one with `dunlin init` or `dunlin join`, or, for pub and sub, remove this file.";
        case dunlin::Status::corrupt:
            return journal + "is corrupt, or no journal: what it promised cannot be read, so this node must not go on.";
        case dunlin::Status::foreign_cluster: return journal + "belongs to another node or another cluster than " + node + ".";
        case dunlin::Status::voter_journal:
            return journal + "is a voter's, and this node does not vote: it would forget the voter's promises.";
        case dunlin::Status::unsupported_version: return journal + "was written by another version of dunlin.";
        case dunlin::Status::device_error: return why_device_failed(path, failure);
        case dunlin::Status::device_full: return journal + "is too small for what this node must remember.";
        case dunlin::Status::invalid_argument:
        case dunlin::Status::too_large:
        case dunlin::Status::table_full:
        case dunlin::Status::outbox_full:
            return journal + "was made with other limits than this node has, such as another `ledger` (" +
                   std::string(dunlin::to_string(status)) + ").";
        default: return journal + "cannot be used: " + std::string(dunlin::to_string(status)) + ".";
    }
}

}  // namespace dunlin_tool
