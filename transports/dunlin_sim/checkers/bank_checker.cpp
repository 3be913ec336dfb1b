#include <dunlin_sim/checkers/bank_checker.hpp>

#include <dunlin_sim/checkers/journal_checker.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace dunlin::sim {

BankChecker::BankChecker(World& world, Verdict& verdict, DurableStates& durable)
    : world_(world),
      verdict_(verdict),
      durable_(durable),
      one_(verdict.expect("one bank counts", Verdict::Occasion::rare)),
      whole_(verdict.expect("a checkpoint counts when it is whole", Verdict::Occasion::rare)),
      worth_(verdict.expect("compactions are worth it", Verdict::Occasion::rare)) {}

BankChecker::Seen& BankChecker::seen_of(std::size_t process) {
    if (seen_.size() <= process) seen_.resize(world_.size());
    return seen_[process];
}

// A head that was written and not synced may reach the disk at any moment: with it, what is synced must be a whole journal.
void BankChecker::on_step(Instant at, std::size_t process) {
    Disk& disk = world_.process(process).disk;
    const std::size_t half = disk.synced().size() / 2 / journal::kHeaderSectorBytes * journal::kHeaderSectorBytes;
    for (const std::size_t bank_at : {std::size_t{0}, half}) {
        if (half == 0) return;
        const std::span<const std::byte> written = std::as_const(disk).content().subspan(bank_at, journal::kBankHeaderBytes);
        if (std::memcmp(written.data(), &disk.synced()[bank_at], written.size()) == 0) continue;
        journal::BankHeader head{};
        if (journal::read_bank_header(written, head) != journal::BankHeaderKind::valid) continue;
        if (head.state != journal::BankState::active || head.generation == seen_of(process).head) continue;
        seen_of(process).head = head.generation;
        std::vector<std::byte> device(disk.synced().begin(), disk.synced().end());
        std::ranges::copy(written, device.begin() + static_cast<std::ptrdiff_t>(bank_at));
        verdict_.check(whole_, read_journal(device).status == Status::ok, at, [&] {
            return "process " + std::to_string(process) + " writes the head of checkpoint " + std::to_string(head.generation) +
                   " before all of it is synced";
        });
    }
}

void BankChecker::on_durable(Instant at, std::size_t process, const Node& node) {
    const DurableState& disk = durable_.of(process);
    verdict_.check(one_, !disk.two_banks_count(), at, [&] {
        return "process " + std::to_string(process) + " appends to one bank of its journal, and both say that they count";
    });
    const DurableState::Compaction& compaction = disk.compaction();
    Seen& seen = seen_of(process);
    const Seen before = seen;
    if (compaction.generation == before.generation) return;
    seen = {compaction.generation, world_.process(process).life, node.counters().get(Counter::snapshots_installed), before.head};
    const bool first = before.generation == 0 || seen.life != before.life;
    if (compaction.generation == 0 || first || seen.images != before.images) return;
    check_compaction(at, process, compaction);
}

void BankChecker::check_compaction(Instant at, std::size_t process, const DurableState::Compaction& compaction) {
    const bool full = compaction.used_bytes + compaction.longest_bytes > compaction.bank_bytes;
    const bool used = compaction.used_bytes >= compaction.bank_bytes / 8 * 3 && compaction.won_bytes >= compaction.bank_bytes / 8;
    verdict_.check(worth_, full || used, at, [&] {
        return "process " + std::to_string(process) + " writes its journal anew with " + std::to_string(compaction.used_bytes) + " of " +
               std::to_string(compaction.bank_bytes) + " bytes used, " + std::to_string(compaction.won_bytes) +
               " of them since the last time";
    });
}

}  // namespace dunlin::sim
