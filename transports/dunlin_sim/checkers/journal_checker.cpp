#include <dunlin_sim/checkers/journal_checker.hpp>

#include <dunlin/core/checksum.hpp>
#include <dunlin/journal/bank_header.hpp>
#include <dunlin/journal/journal.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace dunlin::sim {
namespace {

// As long as the buffer of any node here, or longer.
constexpr std::size_t kBufferBytes = 64 * 1024;

std::uint64_t hash_of(const journal::RecordKind kind, std::span<const std::byte> bytes) {
    std::uint64_t hash = 0xcbf29ce484222325U ^ static_cast<std::uint64_t>(kind);
    for (const std::byte each : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(each)) * 0x100000001b3U;
    return hash;
}

// Every record of `found` is in one of the others.
bool made_of(const JournalContent& found, const JournalContent& one, const JournalContent& other) {
    const auto holds = [](const JournalContent& content, const auto& record) {
        const auto entry = content.records.find(record.first);
        return entry != content.records.end() && entry->second == record.second;
    };
    return std::ranges::all_of(found.records, [&](const auto& record) { return holds(one, record) || holds(other, record); });
}

// The generation of the bank at this place, if it counts; else 0.
std::uint64_t active_generation(std::span<const std::byte> device, std::size_t bank_at) {
    journal::BankHeader head{};
    if (journal::read_bank_header(device.subspan(bank_at, journal::kBankHeaderBytes), head) != journal::BankHeaderKind::valid) return 0;
    return head.state == journal::BankState::active ? head.generation : 0;
}

std::uint64_t last_of(const JournalContent& content) { return content.records.empty() ? 0 : content.records.rbegin()->first; }

}  // namespace

JournalContent read_journal(std::span<const std::byte> device) {
    JournalContent content;
    std::vector<std::byte> buffer(kBufferBytes);
    Counters counters;
    journal::Journal journal({buffer}, counters);
    journal.open(device.size());
    while (journal.state() == journal::State::recovering) {
        for (journal::RecoveredRecord record; journal.next_recovered(record);)
            content.records[record.sequence.value()] = hash_of(record.kind, record.bytes);
        const auto op = journal.poll_op();
        if (!op) break;
        if (op->kind == journal::DeviceOp::Kind::read) std::memcpy(op->buffer.data(), &device[op->offset], op->buffer.size());
        journal.on_complete(op->id, Status::ok, op->buffer.size());
    }
    content.status = journal.status();
    return content;
}

JournalChecker::JournalChecker(World& world, Verdict& verdict)
    : world_(world),
      verdict_(verdict),
      kept_(verdict.expect("what was synced is recovered", Verdict::Occasion::rare)),
      genuine_(verdict.expect("only what was written is recovered", Verdict::Occasion::rare)) {
    world.observe(*this);
}

void JournalChecker::exchanged(std::size_t process) {
    if (process < crashed_.size()) crashed_[process].known = false;
}

void JournalChecker::on_crash(Instant, std::size_t process, const Node&) {
    Process& crashed = world_.process(process);
    if (crashed.setup.disk_bytes == 0) return;
    if (crashed_.size() <= process) crashed_.resize(process + 1);
    const std::span<const std::byte> synced = crashed.disk.synced();
    crashed_[process] = {read_journal(synced), read_journal(crashed.disk.content()), true, {}, 0};
    const std::size_t second = journal::bank_bytes_of(synced.size());
    if (second == 0 || active_generation(synced, 0) == 0 || active_generation(synced, second) == 0) return;
    const std::size_t newer_at = active_generation(synced, 0) > active_generation(synced, second) ? 0 : second;
    std::vector<std::byte> older(synced.begin(), synced.end());
    std::fill_n(older.begin() + static_cast<std::ptrdiff_t>(newer_at), journal::kBankHeaderBytes, std::byte{0});
    crashed_[process].older = read_journal(older);
    crashed_[process].newer_at = newer_at;
}

void JournalChecker::on_start(Instant at, std::size_t process) {
    if (process >= crashed_.size() || !crashed_[process].known) return;
    const Crashed& before = crashed_[process];
    const std::span<const std::byte> device = std::as_const(world_.process(process).disk).content();
    const JournalContent found = read_journal(device);
    if (found.status != Status::ok || before.synced.status != Status::ok) return;
    const bool older_speaks = before.older && active_generation(device, before.newer_at) == 0;
    const JournalContent& kept = older_speaks ? *before.older : before.synced;
    verdict_.check(kept_, last_of(found) >= last_of(kept), at, [&] {
        return "process " + std::to_string(process) + " had record " + std::to_string(last_of(kept)) +
               " on its disk, and starts with those up to " + std::to_string(last_of(found));
    });
    verdict_.check(genuine_, made_of(found, kept, before.written), at,
                   [&] { return "process " + std::to_string(process) + " starts with a record that it never wrote"; });
}

}  // namespace dunlin::sim
