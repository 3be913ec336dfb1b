#include <dunlin_sim/checkers/promise_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>

namespace dunlin::sim {
namespace {

std::string text(std::size_t process) { return "process " + std::to_string(process); }
template <class Id>
std::string number(Id id) {
    return std::to_string(id.value());
}

// What of a vote is told by its request, as a candidate votes for itself, or by its grant.
bool for_election(std::uint32_t flags) { return !has(flags, wire::VoteFlag::pre_vote); }

}  // namespace

PromiseChecker::PromiseChecker(World& world, Verdict& verdict, DurableStates& durable)
    : world_(world),
      verdict_(verdict),
      durable_(durable),
      before_(verdict.expect("durable before promised", Verdict::Occasion::rare)),
      good_(verdict.expect("durable for good", Verdict::Occasion::rare)),
      vote_(verdict.expect("one vote a term", Verdict::Occasion::rare)) {}

// Of a process with a disk, what it has promised on it; nullptr: it has none, and promises for this life alone.
PromiseChecker::Promised* PromiseChecker::promised_of(std::size_t process) {
    if (world_.process(process).setup.disk_bytes == 0) return nullptr;
    const StorageId storage = durable_.of(process).storage();
    return storage == StorageId{} ? nullptr : &promised_[storage];
}

// ---- Promises ---------------------------------------------------------------------------------------------------------------

void PromiseChecker::on_epoch(Instant at, std::size_t process, BootEpoch epoch) {
    if (epochs_.size() <= process) epochs_.resize(process + 1);
    if (epochs_[process] == epoch) return;
    epochs_[process] = epoch;
    Promised* const promised = promised_of(process);
    if (promised == nullptr) return;
    promised->epoch = epoch;
    const BootEpoch known = durable_.of(process).epoch();
    verdict_.check(before_, known >= epoch, at, [&] {
        return text(process) + " speaks in epoch " + number(epoch) + ", and its disk knows of epoch " + number(known) + " only";
    });
}

void PromiseChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    Promised* const promised = promised_of(process);
    if (promised == nullptr) return;
    for_each_record(bytes, [&](const wire::Record& record) {
        if (!of_consensus(record.type)) return;
        promise_term(at, process, *promised, term_told(record));
        if (record.type == wire::RecordType::vote_request) {
            const auto request = record.as<wire::VoteRequest>();
            const NodeId self = world_.process(process).setup.options.id;
            if (for_election(request.flags())) promise_vote(at, process, *promised, Term{request.term()}, self);
        }
        if (record.type == wire::RecordType::vote_reply) {
            const auto reply = record.as<wire::VoteReply>();
            const bool granted = has(reply.flags(), wire::VoteFlag::granted) && for_election(reply.flags());
            if (granted) promise_vote(at, process, *promised, Term{reply.request_term()}, world_.process(to).setup.options.id);
        }
        if (record.type == wire::RecordType::append_reply) {
            const auto reply = record.as<wire::AppendReply>();
            if ((reply.flags() & static_cast<std::uint32_t>(wire::AppendReplyFlag::success)) != 0)
                promise_entries(at, process, LogIndex{reply.match_index()});
        }
    });
}

void PromiseChecker::promise_term(Instant at, std::size_t process, Promised& promised, Term term) {
    if (term <= promised.term) return;
    promised.term = term;
    const Term known = durable_.of(process).term();
    verdict_.check(before_, known >= term, at, [&] {
        return text(process) + " speaks of term " + number(term) + ", and its disk knows of term " + number(known) + " only";
    });
}

void PromiseChecker::promise_vote(Instant at, std::size_t process, Promised& promised, Term term, NodeId candidate) {
    if (term < promised.vote_term) return;  // it was checked, and comes late
    verdict_.check(vote_, term > promised.vote_term || candidate == promised.vote, at, [&] {
        return text(process) + " votes for node " + number(candidate) + " in term " + number(term) + ", after it voted for node " +
               number(promised.vote);
    });
    promised.vote_term = term;
    promised.vote = candidate;
    const DurableState& disk = durable_.of(process);
    const bool known = disk.term() > term || (disk.term() == term && disk.voted_for() == candidate);
    verdict_.check(before_, known, at, [&] {
        return text(process) + " votes for node " + number(candidate) + " in term " + number(term) + ", and its disk says node " +
               number(disk.voted_for()) + " in term " + number(disk.term());
    });
}

void PromiseChecker::promise_entries(Instant at, std::size_t process, LogIndex match) {
    const LogIndex last = durable_.of(process).last_index();
    verdict_.check(before_, match <= last, at, [&] {
        return text(process) + " acknowledges entry " + number(match) + ", and its disk's log ends with " + number(last);
    });
}

void PromiseChecker::handled_under(Instant at, std::size_t process, LeaseKey lease, Token token) {
    Promised* const promised = promised_of(process);
    if (promised == nullptr) return;
    Token& floor = promised->floors[lease];
    floor = std::max(floor, token);
    const Token known = durable_.of(process).floor(lease);
    verdict_.check(before_, known >= token, at, [&] {
        return text(process) + " handled a message under token " + number(token) + ", and its disk knows of a floor of " + number(known) +
               " only";
    });
}

// ---- What became of them ------------------------------------------------------------------------------------------------------

void PromiseChecker::on_durable(Instant at, std::size_t process) {
    const Promised* const found = promised_of(process);
    if (found == nullptr) return;
    const Promised& promised = *found;
    const DurableState& disk = durable_.of(process);
    verdict_.check(good_, disk.epoch() >= promised.epoch && disk.term() >= promised.term, at, [&] {
        return text(process) + " has spoken in epoch " + number(promised.epoch) + " and of term " + number(promised.term) +
               ", and now its disk says epoch " + number(disk.epoch()) + " and term " + number(disk.term());
    });
    if (promised.vote_term != Term{} && disk.term() == promised.vote_term) {
        verdict_.check(good_, disk.voted_for() == promised.vote, at, [&] {
            return text(process) + " has voted for node " + number(promised.vote) + " in term " + number(promised.vote_term) +
                   ", and now its disk says node " + number(disk.voted_for());
        });
    }
    for (const auto& [lease, token] : promised.floors) {
        verdict_.check(good_, disk.floor(lease) >= token, at, [&, token = token, lease = lease] {
            return text(process) + " has handled a message under token " + number(token) + ", and now its disk knows of a floor of " +
                   number(disk.floor(lease)) + " only";
        });
    }
}

}  // namespace dunlin::sim
