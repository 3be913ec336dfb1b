#include <dunlin_sim/checkers/read_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

namespace dunlin::sim {

ReadChecker::ReadChecker(World& world, Verdict& verdict, const CommitChecker& commits)
    : world_(world),
      verdict_(verdict),
      commits_(commits),
      reads_(verdict.expect("reads see what was committed", Verdict::Occasion::rare)) {}

void ReadChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::read && record.type != wire::RecordType::read_reply) return;
        if (sent_.size() < world_.size()) sent_.resize(world_.size());
        if (record.type == wire::RecordType::read) {
            Reads& reads = sent_[process];
            reads.try_emplace(record.as<wire::Read>().request(), commits_.committed());
            if (reads.size() > kReadsMax) reads.erase(reads.begin());
            return;
        }
        const auto reply = record.as<wire::ReadReply>();
        const auto status = static_cast<Status>(reply.status());
        const auto asked = sent_[to].find(reply.request());
        if ((status != Status::ok && status != Status::not_found) || asked == sent_[to].end()) return;
        const LogIndex applied = world_.node(process).status(world_.local_now(process)).applied;
        verdict_.check(reads_, applied >= asked->second, at, [&] {
            return "process " + std::to_string(process) + " answers a read of process " + std::to_string(to) + " as of entry " +
                   std::to_string(applied.value()) + ", when entry " + std::to_string(asked->second.value()) +
                   " had been committed before that was sent";
        });
    });
}

void ReadChecker::on_crash(std::size_t process) {
    if (process < sent_.size()) sent_[process].clear();
}

}  // namespace dunlin::sim
