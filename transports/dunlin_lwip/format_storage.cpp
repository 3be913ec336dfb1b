#include <dunlin_lwip/format_storage.hpp>

#include <dunlin/core/counters.hpp>
#include <dunlin/journal/journal.hpp>

#include <dunlin_lwip/port.hpp>

#include <optional>

namespace dunlin_lwip {

dunlin::Status look_at_storage(std::span<std::byte> buffer) {
    const port::Storage storage = port::storage();
    dunlin::Counters counters;
    dunlin::journal::Journal journal({buffer}, counters, storage.geometry);
    journal.open(storage.bytes);
    // The two headers tell; what comes behind them is the node's to read.
    for (unsigned reads = 0; reads < 2; ++reads) {
        const std::optional<dunlin::journal::DeviceOp> operation = journal.poll_op();
        if (!operation) break;
        const dunlin::Status status = port::perform(*operation);
        journal.on_complete(operation->id, status, status == dunlin::Status::ok ? operation->buffer.size() : 0);
    }
    return journal.status();
}

dunlin::Status format_storage(const dunlin::FormatPlan& plan, std::span<std::byte> buffer) {
    const port::Storage storage = port::storage();
    dunlin::Counters counters;
    dunlin::journal::Journal journal({buffer}, counters, storage.geometry);
    dunlin::Formatter formatter(journal, plan);
    if (const dunlin::Status status = formatter.begin(storage.bytes); status != dunlin::Status::ok) return status;
    while (!formatter.done()) {
        const std::optional<dunlin::journal::DeviceOp> operation = formatter.poll_op();
        // It has found out just now that it cannot go on; or it waits for what will never come.
        if (!operation) return formatter.done() ? formatter.status() : dunlin::Status::device_error;
        formatter.on_complete(operation->id, port::perform(*operation));
    }
    return formatter.status();
}

}  // namespace dunlin_lwip
