#pragma once

#include "memory_device.hpp"

#include <dunlin/journal/journal.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin::journal::test {

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); }

struct Recovered {
    RecordKind kind;
    std::uint64_t sequence;
    std::string text;
};

// One life of a process that owns a journal on `device`.
class Boot {
  public:
    Boot(MemoryDevice& on, std::size_t buffer_bytes)
        : device(on), buffer(buffer_bytes), journal({.buffer = buffer}, counters, on.geometry()) {}

    // One device operation from start to end; false when there was nothing to do.
    bool step() {
        const std::optional<DeviceOp> op = journal.poll_op();
        if (!op) return false;
        const Status status = device.perform(*op);
        journal.on_complete(op->id, status, device.bytes_read(*op));
        return true;
    }
    void drain() {
        while (step()) {}
    }
    // Recovery to its end; the records given back are in `recovered`.
    Status open() {
        recovered.clear();
        journal.open(device.size());
        while (journal.state() == State::recovering) {
            RecoveredRecord record;
            while (journal.next_recovered(record)) {
                const char* text = reinterpret_cast<const char*>(record.bytes.data());
                recovered.push_back({record.kind, record.sequence.value(), std::string(text, record.bytes.size())});
            }
            step();
        }
        return journal.status();
    }
    void format(StorageId storage = StorageId{77}) {
        journal.format(device.size(), storage);
        checkpoint({});
    }
    // A whole checkpoint of `live` (each a watermark record), after format() or begin_checkpoint().
    void checkpoint(const std::vector<std::string>& live) {
        emit(RecordKind::format, "format");
        for (const std::string& text : live) emit(RecordKind::watermark, text);
        journal.finish_checkpoint();
        drain();
    }
    void compact(const std::vector<std::string>& live) {
        journal.begin_checkpoint();
        checkpoint(live);
    }
    Result<JournalSequence> append(std::string_view text, bool continued = false) {
        return journal.append(RecordKind::log_entry, bytes_of(text), {}, continued);
    }
    // Appends and syncs, a group of its own.
    void store(std::string_view text) {
        DUNLIN_ASSERT(append(text).ok());
        drain();
    }
    // The texts recovered, without the format record.
    [[nodiscard]] std::vector<std::string> texts() const {
        std::vector<std::string> all;
        for (const Recovered& record : recovered) {
            if (record.kind != RecordKind::format) all.push_back(record.text);
        }
        return all;
    }

    MemoryDevice& device;
    Counters counters;
    std::vector<std::byte> buffer;
    Journal journal;
    std::vector<Recovered> recovered;

  private:
    void emit(RecordKind kind, std::string_view text) {
        while (true) {
            const Status status = journal.checkpoint_append(kind, bytes_of(text));
            if (status == Status::ok) return;
            DUNLIN_ASSERT(status == Status::busy);
            DUNLIN_ASSERT(step());
        }
    }
};

}  // namespace dunlin::journal::test
