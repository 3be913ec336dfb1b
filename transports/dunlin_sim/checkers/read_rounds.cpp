#include <dunlin_sim/checkers/read_rounds.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>

namespace dunlin::sim {

using wire::RecordType;

ReadRounds::Seen& ReadRounds::seen_of(std::size_t process) {
    if (seen_.size() <= process) seen_.resize(process + 1);
    return seen_[process];
}

void ReadRounds::on_send(std::size_t process, std::span<const std::byte> bytes) {
    Seen& seen = seen_of(process);
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != RecordType::append && record.type != RecordType::snapshot_chunk) return;
        const Term term = term_told(record);
        if (term != seen.term) seen.answered.clear();
        seen.term = term;
        const bool append = record.type == RecordType::append;
        seen.last = std::max(seen.last, append ? record.as<wire::Append>().round() : record.as<wire::SnapshotChunk>().round());
    });
}

void ReadRounds::on_receive(std::size_t process, std::size_t from, std::span<const std::byte> bytes) {
    Seen& seen = seen_of(process);
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != RecordType::append_reply && record.type != RecordType::snapshot_reply) return;
        if (term_told(record) != seen.term) return;
        const bool append = record.type == RecordType::append_reply;
        const std::uint64_t round = append ? record.as<wire::AppendReply>().round() : record.as<wire::SnapshotReply>().round();
        if (seen.answered.size() <= from) seen.answered.resize(from + 1);
        seen.answered[from] = std::max(seen.answered[from], round);
    });
}

Processes ReadRounds::answered_after(std::size_t process, std::uint64_t round) {
    const std::vector<std::uint64_t>& answered = seen_of(process).answered;
    Processes found = 0;
    for (std::size_t from = 0; from < answered.size(); ++from) {
        if (answered[from] > round) found |= set_of(from);
    }
    return found;
}

void ReadRounds::on_crash(std::size_t process) { seen_of(process) = {}; }

}  // namespace dunlin::sim
