#include <dunlin_sim/faults/aged_journal.hpp>

#include <dunlin/bus/records.hpp>
#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/journal/journal.hpp>

#include <vector>

namespace dunlin::sim {
namespace {

// A journal takes appends only with the buffer that it was written with.
std::size_t buffer_bytes(std::span<const std::byte> device) {
    const std::size_t half = device.size() / 2 / journal::kHeaderSectorBytes * journal::kHeaderSectorBytes;
    std::size_t bytes = 0;
    for (const std::size_t bank : {std::size_t{0}, half}) {
        journal::BankHeader header{};
        const auto kind = journal::read_bank_header(device.subspan(bank, journal::kBankHeaderBytes), header);
        if (kind == journal::BankHeaderKind::valid && header.state == journal::BankState::active) bytes = header.record_bytes_max;
    }
    return bytes;
}

bool step(journal::Journal& journal, Disk& disk) {
    for (journal::RecoveredRecord record; journal.next_recovered(record);) {}
    const auto op = journal.poll_op();
    if (!op) return false;
    std::size_t bytes = 0;
    const Status status = disk.run(*op, bytes);
    journal.on_complete(op->id, status, bytes);
    return true;
}

}  // namespace

void number_lanes_from(Disk& disk, std::span<const NodeId> peers, Sequence next) {
    std::vector<std::byte> buffer(buffer_bytes(disk.synced()));
    Counters counters;
    journal::Journal journal({buffer}, counters);
    journal.open(disk.synced().size());
    while (journal.state() == journal::State::recovering && step(journal, disk)) {}
    DUNLIN_ASSERT(journal.state() == journal::State::ready);
    for (const NodeId peer : peers) {
        const bus::LaneNextRecord record{.next = next.value(), .node = peer.value(), .lane = 0, .reserved = 0};
        auto appended = journal.append(journal::RecordKind::lane_next, bytes_of(record));
        while (appended.status() == Status::busy && step(journal, disk)) {
            appended = journal.append(journal::RecordKind::lane_next, bytes_of(record));
        }
        DUNLIN_ASSERT(appended.ok());
    }
    while (journal.durable() != journal.appended() && step(journal, disk)) {}
    DUNLIN_ASSERT(journal.durable() == journal.appended());
}

}  // namespace dunlin::sim
