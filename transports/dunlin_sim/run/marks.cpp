#include <dunlin_sim/run/marks.hpp>

namespace dunlin::sim {
namespace {

constexpr std::array<Mark, kMarkCount> kMarks{{
    {"a corrupt packet was dropped", Counter::packets_corrupt},
    {"a packet of another cluster was dropped", Counter::packets_foreign_cluster},
    {"a packet of an older session was dropped", Counter::packets_stale_session},
    {"a duplicate packet was dropped", Counter::packets_duplicate},
    {"a hello was refused", Counter::hellos_refused},
    {"a session ended", Counter::sessions_closed},
    {"an id had two claimants", Counter::identity_conflicts},
    {"a packet was declared lost", Counter::packets_lost},
    {"a probe timeout fired", Counter::probe_timeouts},
    {"a longer packet size was tried", Counter::packet_size_probes},
    {"a packet size was raised", Counter::packet_sizes_raised},
    {"a packet size was lowered", Counter::packet_sizes_lowered},
    {"a message was sent again", Counter::messages_resent},
    {"a lane waited for its peer's credit", Counter::credit_waits},
    {"a peer was told of more credit, or less", Counter::credit_updates},
    {"a duplicate message was not delivered", Counter::messages_duplicate},
    {"a message was joined from its fragments", Counter::messages_joined},
    {"a message came again after retry_later", Counter::messages_delivered_again},
    {"a retry waited for its budget", Counter::retry_budget_waits},
    {"a handler wanted a message later for the last time", Counter::outcomes_retry_budget},
    {"a message was pending", Counter::messages_pending},
    {"a message was held back", Counter::messages_held},
    {"a repeat after a crash was marked", Counter::messages_maybe_repeated},
    {"a publisher skipped what it gave up on", Counter::skips_received},
    {"a message expired", Counter::outcomes_expired},
    {"a handler rejected a message", Counter::outcomes_rejected},
    {"a token was fenced", Counter::messages_fenced},
    {"a fence floor rose", Counter::fence_floor_raised},
    {"a copy ended as the first one under its key", Counter::keys_repeated},
    {"a copy waited for the first one under its key", Counter::keys_waited},
    {"a message waited for room for its key", Counter::key_table_full},
    {"a subscriber was gone", Counter::outcomes_subscriber_gone},
    {"a publish found the outbox full", Counter::publish_outbox_full},
    {"a peer was suspected", Counter::peers_suspected},
    {"a peer was declared dead", Counter::peers_died},
    {"a peer recovered", Counter::peers_recovered},
    {"a pre-vote was refused", Counter::pre_votes_refused},
    {"a vote was refused", Counter::votes_refused},
    {"a leader was elected", Counter::leaders_elected},
    {"a leader was deposed", Counter::leaders_deposed},
    {"a leader without a quorum stepped down", Counter::leaders_stepped_down},
    {"a leader whose disk hung handed over", Counter::leaders_hung},
    {"a leader yielded to a better rank", Counter::leaders_yielded},
    {"an append did not match", Counter::appends_rejected},
    {"entries were cut off", Counter::entries_truncated},
    {"a snapshot was installed", Counter::snapshots_installed},
    {"a member was added", {}, MemberNews::added},
    {"a learner was promoted", {}, MemberNews::promoted},
    {"a voter left", {}, MemberNews::left},
    {"a leader left the voters", {}, MemberNews::left_as_leader},
    {"another voter led by order", {}, MemberNews::handed_over},
    {"a change was refused before a commit in the term", {}, MemberNews::refused_too_early},
    {"a proposal was refused", Counter::proposals_refused},
    {"a read was confirmed by a quorum", Counter::reads_confirmed},
    {"a promise waited for the disk", Counter::promises_waited},
    {"a record of an older term was dropped", Counter::stale_terms},
    {"a repeated command was answered from memory", Counter::commands_repeated},
    {"a lease was refused", Counter::leases_refused},
    {"a lease was renewed", Counter::leases_renewed},
    {"a lease expired", Counter::leases_expired},
    {"a renewal was refused", Counter::renewals_refused},
    {"a lease was in jeopardy", Counter::leases_in_jeopardy},
    {"a lease was lost", Counter::leases_lost},
    {"a ledger call was tried again", Counter::requests_retried},
    {"a voter was passed over", Counter::circuits_opened},
    {"a voter that was passed over was tried", Counter::circuits_half_opened},
    {"a voter that was passed over answered", Counter::circuits_closed},
    {"a ledger call ended unknown", Counter::requests_timed_out},
    {"a journal was compacted", Counter::journal_compactions},
    {"a torn tail was cut off", Counter::journal_torn_tails},
    {"a disk failed a journal", Counter::journal_errors},
    {"an append to a journal was put off", Counter::journal_busy},
}};

}  // namespace

std::span<const Mark, kMarkCount> marks() { return kMarks; }

MarkCounts marks_hit(std::span<const std::uint64_t, kCounterCount> counters, const MemberNewsCounts& members) {
    MarkCounts counts{};
    for (std::size_t i = 0; i < kMarkCount; ++i) {
        const bool of_members = kMarks[i].news != MemberNews::none;
        counts[i] = of_members ? members[static_cast<std::size_t>(kMarks[i].news)] : counters[static_cast<std::size_t>(kMarks[i].counter)];
    }
    return counts;
}

}  // namespace dunlin::sim
