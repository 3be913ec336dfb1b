#include "start_journal.hpp"

#include <dunlin/core/bytes.hpp>
#include <dunlin/node/formatter.hpp>
#include <dunlin_lwip/port.hpp>

#include <array>

namespace self_test {
namespace {

using namespace dunlin;
using journal::Journal;
using journal::RecordKind;
namespace port = dunlin_lwip::port;

constexpr std::string_view kCluster = "self-test";

struct Opened {
    journal::FormatInfo info{};
    StartRecord record{};
};

alignas(8) std::array<std::byte, journal::kBufferBytesMin> buffer;

void perform(Journal& journal, const journal::DeviceOp& op) {
    const Status status = port::perform(op);
    journal.on_complete(op.id, status, op.buffer.size());
}

void drain(Journal& journal) {
    while (const auto op = journal.poll_op()) perform(journal, *op);
}

// invalid_argument: it is somebody else's.
Status open(Journal& journal, std::uint64_t bytes, Opened& opened) {
    journal.open(bytes);
    while (journal.state() == journal::State::recovering) {
        journal::RecoveredRecord record;
        while (journal.next_recovered(record)) {
            std::span<const std::byte> payload = record.bytes;
            if (record.kind == RecordKind::format) {
                const Result<journal::FormatInfo> info = journal::decode_format_info(payload);
                if (info.ok()) opened.info = info.value();
            }
            if (record.kind == RecordKind::position && !take_all(payload, opened.record)) return Status::corrupt;
        }
        if (const auto op = journal.poll_op()) perform(journal, *op);
    }
    if (journal.status() != Status::ok) return journal.status();
    return opened.info.cluster_name() == kCluster ? Status::ok : Status::invalid_argument;
}

Status format(Journal& journal, std::uint64_t bytes) {
    FormatPlan plan;
    plan.node = NodeId{1};
    plan.storage = StorageId{port::random_nonzero_u64()};
    plan.stream = StreamId{port::random_nonzero_u64()};
    plan.cluster = kCluster;
    Formatter formatter(journal, plan);
    if (const Status status = formatter.begin(bytes); status != Status::ok) return status;
    while (!formatter.done()) {
        const auto op = formatter.poll_op();
        if (!op) return Status::device_error;
        perform(journal, *op);
    }
    return formatter.status();
}

Status emit(Journal& journal, RecordKind kind, std::span<const std::byte> payload) {
    Status status = journal.checkpoint_append(kind, payload);
    while (status == Status::busy) {
        const auto op = journal.poll_op();
        if (!op) return Status::device_error;
        perform(journal, *op);
        status = journal.checkpoint_append(kind, payload);
    }
    return status;
}

// A checkpoint whose live state is this record.
Status store(Journal& journal, const Opened& opened) {
    journal.begin_checkpoint();
    if (const Status status = emit(journal, RecordKind::format, journal::encode(opened.info)); status != Status::ok) return status;
    if (const Status status = emit(journal, RecordKind::position, bytes_of(opened.record)); status != Status::ok) return status;
    journal.finish_checkpoint();
    drain(journal);
    const bool durable = !journal.checkpointing() && journal.durable() >= journal.appended();
    return durable ? Status::ok : Status::device_error;
}

}  // namespace

Status look(std::uint64_t bytes, std::uint64_t storage_bytes, const journal::Geometry& geometry) {
    Counters counters;
    Opened opened;
    Journal own({.buffer = buffer}, counters, geometry);
    if (const Status status = open(own, bytes, opened); status != Status::blank) return status;
    Journal other({.buffer = buffer}, counters, geometry);  // which has its second half elsewhere
    return open(other, storage_bytes, opened);
}

Status note_start(std::uint64_t bytes, const journal::Geometry& geometry, StartRecord& before, StartRecord& now) {
    Counters counters;
    Opened opened;
    {
        Journal first({.buffer = buffer}, counters, geometry);
        Status status = open(first, bytes, opened);
        if (status != Status::ok) {
            Journal fresh({.buffer = buffer}, counters, geometry);
            status = format(fresh, bytes);
        }
        if (status != Status::ok) return status;
    }
    opened = {};
    Journal journal({.buffer = buffer}, counters, geometry);
    if (const Status status = open(journal, bytes, opened); status != Status::ok) return status;
    before = opened.record;
    now.starts = before.starts + 1;
    opened.record = now;
    return store(journal, opened);
}

Status read_start(std::uint64_t bytes, const journal::Geometry& geometry, StartRecord& record) {
    Counters counters;
    Opened opened;
    Journal journal({.buffer = buffer}, counters, geometry);
    const Status status = open(journal, bytes, opened);
    record = opened.record;
    return status;
}

}  // namespace self_test
