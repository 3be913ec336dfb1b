#include <dunlin_sim/checkers/read_checker.hpp>

#include <dunlin/ledger/commands.hpp>
#include <dunlin/ledger/lease_key.hpp>
#include <dunlin_sim/checkers/sent_records.hpp>

namespace dunlin::sim {

ReadChecker::ReadChecker(World& world, Verdict& verdict, const CommitChecker& commits, const Configurations& configurations)
    : world_(world),
      verdict_(verdict),
      commits_(commits),
      configurations_(configurations),
      reads_(verdict.expect("reads see what was committed", Verdict::Occasion::rare)),
      anew_(verdict.expect("reads are confirmed anew", Verdict::Occasion::rare)),
      floor_(verdict.expect("a floor is read first", Verdict::Occasion::rare)) {}

void ReadChecker::grow() {
    if (sent_.size() >= world_.size()) return;
    sent_.resize(world_.size());
    nonces_.resize(world_.size());
    floors_.resize(world_.size());
}

void ReadChecker::on_hello_sent(std::size_t process, std::span<const std::byte> bytes) {
    grow();
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type == wire::RecordType::hello) nonces_[process].insert(record.as<wire::Hello>().nonce());
    });
}

void ReadChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    grow();
    const std::uint64_t session = wire::load<wire::PacketHeader>(bytes).session();
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::read && record.type != wire::RecordType::read_reply) return;
        if (record.type == wire::RecordType::read) {
            Reads& reads = sent_[process];
            const auto read = record.as<wire::Read>();
            const std::string_view name(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
            const bool lease = read.kind() == static_cast<std::uint8_t>(ledger::ReadKind::lease);
            reads.try_emplace(read.request(),
                              Asked{commits_.committed(), to, rounds_.last(to), lease ? ledger::lease_key(name) : LeaseKey{}});
            if (reads.size() > kReadsMax) reads.erase(reads.begin());
            return;
        }
        if (!nonces_[to].contains(session)) return;  // meant for the process before this one, which may have numbered a read the same
        const auto reply = record.as<wire::ReadReply>();
        const auto status = static_cast<Status>(reply.status());
        const auto asked = sent_[to].find(reply.request());
        if ((status != Status::ok && status != Status::not_found) || asked == sent_[to].end()) return;
        check_answer(at, process, to, asked->second);
        // Where nobody holds the lease, every token up to the index that was read at is dead.
        const Token floor{reply.revision() + (status == Status::not_found ? 1 : 0)};
        if (asked->second.lease != LeaseKey{}) floors_[to].try_emplace(asked->second.lease, floor);
    });
}

void ReadChecker::check_answer(Instant at, std::size_t process, std::size_t to, const Asked& asked) {
    const LogIndex applied = world_.node(process).status(world_.local_now(process)).applied;
    verdict_.check(reads_, applied >= asked.committed, at, [&] {
        return "process " + std::to_string(process) + " answers a read of process " + std::to_string(to) + " as of entry " +
               std::to_string(applied.value()) + ", when entry " + std::to_string(asked.committed.value()) +
               " had been committed before that was sent";
    });
    if (asked.of != process) return;
    const Processes confirmed = set_of(process) | rounds_.answered_after(process, asked.round);
    verdict_.check(anew_, configurations_.majority_at(at, process, confirmed), at, [&] {
        return "process " + std::to_string(process) + " answers a read of process " + std::to_string(to) + ", and " +
               std::to_string(std::popcount(confirmed)) + " voters, no majority, have confirmed that it leads since that was sent";
    });
}

void ReadChecker::handled_under(Instant at, std::size_t process, LeaseKey lease, Token token) {
    if (world_.process(process).setup.disk_bytes != 0) return;
    const bool known = process < floors_.size() && floors_[process].contains(lease);
    const Token floor = known ? floors_[process][lease] : Token{};
    verdict_.check(floor_, known && token >= floor, at, [&] {
        return "process " + std::to_string(process) + " runs a handler under token " + std::to_string(token.value()) +
               (known ? ", and was answered " + std::to_string(floor.value()) : ", and was not told yet what the lease's token is");
    });
}

void ReadChecker::on_crash(std::size_t process) {
    if (process < sent_.size()) {
        sent_[process].clear();
        nonces_[process].clear();
        floors_[process].clear();
    }
    rounds_.on_crash(process);
}

}  // namespace dunlin::sim
