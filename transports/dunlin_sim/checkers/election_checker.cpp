#include <dunlin_sim/checkers/election_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <bit>

namespace dunlin::sim {
namespace {

using consensus::Role;
using wire::RecordType;

const consensus::ConsensusOptions kTimes{};
constexpr Duration kStepsApart = milliseconds{300};  // more: the process stood still, and is not to be judged by what it missed

std::string text(std::size_t process) { return "process " + std::to_string(process); }
template <class Id>
std::string number(Id id) {
    return std::to_string(id.value());
}

// Packets that a node has refused, for whatever reason.
std::uint32_t dropped(const Counters& counters) {
    std::uint32_t sum = 0;
    const auto last = static_cast<std::size_t>(Counter::packets_no_peer_slot);
    for (auto i = static_cast<std::size_t>(Counter::packets_truncated); i <= last; ++i) sum += counters.get(static_cast<Counter>(i));
    return sum + counters.get(Counter::votes_ignored_storage);
}

}  // namespace

ElectionChecker::ElectionChecker(World& world, Verdict& verdict, const Configurations& configurations)
    : world_(world),
      verdict_(verdict),
      configurations_(configurations),
      consent_(verdict.expect("no campaign without consent", Verdict::Occasion::rare)),
      sticky_(verdict.expect("a heard leader is not voted out", Verdict::Occasion::rare)),
      patient_(verdict.expect("a heard leader is followed", Verdict::Occasion::rare)),
      quorum_(verdict.expect("no leader without a majority", Verdict::Occasion::rare)),
      held_(verdict.expect("a term heard is a term held", Verdict::Occasion::rare)),
      told_(verdict.expect("a stale leader is told", Verdict::Occasion::rare)),
      time_(verdict.expect("cluster time goes on", Verdict::Occasion::rare)),
      seen_(configurations.hosts().empty() ? 0 : std::ranges::max(configurations.hosts()) + 1) {
    for (Seen& seen : seen_) {
        seen.heard_from.resize(seen_.size());
        seen.stale.resize(seen_.size());
    }
}

// ---- What is said -------------------------------------------------------------------------------------------------------------

void ElectionChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    Seen& seen = seen_[process];
    for_each_record(bytes, [&](const wire::Record& record) {
        if (!of_consensus(record.type)) return;
        const Term term = term_told(record);
        seen.term = std::max(seen.term, term);
        if (term > seen.stale[to].term) seen.stale[to] = {};
        if (record.type == RecordType::vote_reply) on_vote_reply(process, to, record);
        if (record.type == RecordType::vote_request) on_vote_request(at, process, record);
        if (record.type == RecordType::timeout_now) told_to_lead_ |= set_of(to);
    });
}

void ElectionChecker::on_vote_reply(std::size_t process, std::size_t to, const wire::Record& record) {
    const auto reply = record.as<wire::VoteReply>();
    if (!has(reply.flags(), wire::VoteFlag::pre_vote) || !has(reply.flags(), wire::VoteFlag::granted)) return;
    Seen& asker = seen_[to];
    const Term term{reply.request_term()};
    if (term < asker.consent_term) return;
    if (term > asker.consent_term) asker.consents = 0;
    asker.consent_term = term;
    asker.consents |= set_of(process);
}

void ElectionChecker::on_vote_request(Instant at, std::size_t process, const wire::Record& record) {
    const auto request = record.as<wire::VoteRequest>();
    Seen& seen = seen_[process];
    const Term term{request.term()};
    if (has(request.flags(), wire::VoteFlag::pre_vote) || term == seen.campaign) return;
    seen.campaign = term;
    if (!led_) return;  // nobody to disturb
    const bool transferred = has(request.flags(), wire::VoteFlag::transfer) && (told_to_lead_ >> process & 1U) != 0;
    const Processes votes = set_of(process) | (seen.consent_term == term ? seen.consents : 0);
    verdict_.check(consent_, transferred || configurations_.majority_at(at, process, votes), at, [&] {
        return text(process) + " campaigns in term " + number(term) + " with the consent of " + std::to_string(std::popcount(votes)) +
               " voters, which is no majority";
    });
}

// ---- What is heard ------------------------------------------------------------------------------------------------------------

void ElectionChecker::on_receive(std::size_t process, std::size_t from, std::span<const std::byte> bytes) {
    Seen& seen = seen_[process];
    if (bytes.size() < wire::kHeaderBytes || wire::load<wire::PacketHeader>(bytes).cluster() == 0) return;  // not bound yet
    Heard heard;
    heard.any = true;
    heard.from = from;
    bool asks_only = true;
    for_each_record(bytes, [&](const wire::Record& record) {
        if (!of_consensus(record.type)) return;
        if (record.type == RecordType::vote_request) {
            heard.asks = !has(record.as<wire::VoteRequest>().flags(), wire::VoteFlag::transfer);
            return;
        }
        asks_only = false;
        if (record.type == RecordType::timeout_now) return;
        const Term term = term_told(record);
        if (term > seen.term) heard.newer = std::max(heard.newer, term);
        const bool leads = record.type == RecordType::append || record.type == RecordType::snapshot_chunk;
        if (leads && term < seen.term) heard.stale = term;
    });
    heard.asks = heard.asks && asks_only;
    const Counters& counters = world_.node(process).counters();
    heard.journal_busy = counters.get(Counter::journal_busy);
    if (heard.newer != Term{} || heard.stale != Term{}) heard.dropped = dropped(counters);
    seen.heard = heard;
}

void ElectionChecker::check_heard(Instant at, std::size_t process, const Node& node, Seen& seen) {
    const Heard heard = seen.heard;
    seen.heard = {};
    if (heard.newer == Term{} && heard.stale == Term{}) return;
    const Counters& counters = node.counters();
    if (dropped(counters) != heard.dropped || counters.get(Counter::journal_busy) != heard.journal_busy) return;
    const StatusReport report = node.status(world_.local_now(process));
    if (report.role == Role::member) return;
    if (heard.newer != Term{}) {
        verdict_.check(held_, report.term >= heard.newer, at, [&] {
            return text(process) + " heard of term " + number(heard.newer) + " from " + text(heard.from) + " and stayed in term " +
                   number(report.term);
        });
    }
    if (heard.stale == Term{}) return;
    Stale& stale = seen.stale[heard.from];
    if (stale.term == Term{}) stale.since = at;
    stale.term = heard.stale;
    verdict_.check(told_, at - stale.since <= kToldBound, at, [&] {
        return text(process) + " hears " + text(heard.from) + " lead in term " + number(heard.stale) + " for " +
               std::to_string((at - stale.since).count()) + " us, and has not told it of term " + number(report.term);
    });
}

// ---- Roles --------------------------------------------------------------------------------------------------------------------

void ElectionChecker::on_event(Instant at, std::size_t process, const Node& node, const Event& event) {
    if (!votes(process)) return;
    Seen& seen = seen_[process];
    if (event.kind == EventKind::leader_changed) seen.leader = event.node;
    if (event.kind != EventKind::role_changed) return;
    seen.role = static_cast<Role>(event.value);
    seen.role_since = at;
    seen.overdue = {};
    if (seen.role == Role::pre_candidate && seen.leader_before != NodeId{}) {
        const Duration silence = at - seen.leader_heard;
        verdict_.check(patient_, silence >= kTimes.election_timeout_min * 95 / 100, at, [&] {
            return text(process) + " campaigns " + std::to_string(silence.count()) + " us after it heard its leader, node " +
                   number(seen.leader_before);
        });
    }
    if (seen.role != Role::leader) return;
    led_ = true;
    const ClusterTime time = node.status(world_.local_now(process)).cluster_time;
    verdict_.check(time_, time >= seen.known_time, at, [&] {
        return text(process) + " leads term " + std::to_string(event.detail) + " from cluster time " + number(time) + " on, and knew of " +
               number(seen.known_time);
    });
}

void ElectionChecker::on_step(Instant at, std::size_t process, const Node& node) {
    if (!votes(process) || node.failed()) return;  // that one neither hears nor says anything
    Seen& seen = seen_[process];
    if (at - seen.last_step > kStepsApart) std::ranges::fill(seen.stale, Stale{});  // it could tell nobody
    if (seen.role == Role::leader) check_quorum(at, process, seen);
    if (seen.role == Role::candidate) seen.known_time = node.status(world_.local_now(process)).cluster_time;
    if (seen.heard.any) {
        check_votes(at, process, node, seen);
        check_heard(at, process, node, seen);
    }
    seen.leader_before = seen.leader;
    seen.last_step = at;
}

void ElectionChecker::check_votes(Instant at, std::size_t process, const Node& node, Seen& seen) {
    const Counters& counters = node.counters();
    const std::uint32_t appends = counters.get(Counter::appends_received);
    const std::uint32_t stale_terms = counters.get(Counter::stale_terms);
    const std::uint32_t malformed = counters.get(Counter::records_malformed);
    const std::uint32_t votes_granted = counters.get(Counter::votes_granted);
    const bool granted = votes_granted != seen.votes_granted;
    if (seen.heard.asks && seen.leader_before != NodeId{} && seen.leader_before != world_.process(seen.heard.from).setup.options.id) {
        // Clocks err by less than a twentieth.
        const bool trusts = at - seen.leader_heard < kTimes.election_timeout_min * 95 / 100;
        verdict_.check(sticky_, !granted || !trusts, at, [&] {
            return text(process) + " grants " + text(seen.heard.from) + " a vote " + std::to_string((at - seen.leader_heard).count()) +
                   " us after it heard its leader, node " + number(seen.leader_before);
        });
    }
    // A leader whose new term finds no room in the journal is not followed yet.
    const bool stored = counters.get(Counter::journal_busy) == seen.heard.journal_busy;
    if (appends != seen.appends && stored && stale_terms == seen.stale_terms && malformed == seen.malformed) seen.leader_heard = at;
    seen.appends = appends;
    seen.stale_terms = stale_terms;
    seen.malformed = malformed;
    seen.votes_granted = votes_granted;
}

void ElectionChecker::check_quorum(Instant at, std::size_t process, Seen& seen) {
    Processes heard = set_of(process);
    for (const std::size_t other : configurations_.hosts()) {
        if (at - seen.heard_from[other] <= kQuorumBound) heard |= set_of(other);
    }
    const bool judged = at - seen.role_since > kQuorumBound && at - seen.last_step <= kStepsApart;
    const bool alone = judged && !configurations_.majority_at(at, process, heard);
    if (!alone) {
        seen.overdue = {};
    } else if (seen.overdue == Instant{}) {
        seen.overdue = at;
    }
    verdict_.check(quorum_, !alone || at - seen.overdue <= kStepsApart, at, [&] {
        return text(process) + " still leads, and has heard " + std::to_string(std::popcount(heard) - 1) + " others in " +
               std::to_string(kQuorumBound.count()) + " us";
    });
}

void ElectionChecker::on_crash(std::size_t process) {
    if (!votes(process)) return;
    Seen fresh;
    fresh.heard_from.resize(seen_.size());
    fresh.stale.resize(seen_.size());
    seen_[process] = std::move(fresh);
}

}  // namespace dunlin::sim
