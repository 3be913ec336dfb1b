#include <dunlin/core/counters.hpp>

#include <dunlin/core/assert.hpp>

#include <iterator>

namespace dunlin {
namespace {

struct Row {
    Counter counter;
    CounterInfo info;
};

// In the order of the enumerators; read at compile time only, to make the table below.
constexpr Row kRows[] = {
    {Counter::packets_sent, {"packets_sent", "packets handed to the transport"}},
    {Counter::packets_received, {"packets_received", "packets that a transport handed in, good or bad"}},
    {Counter::bytes_sent, {"bytes_sent", "bytes of packets handed to the transport"}},
    {Counter::bytes_received, {"bytes_received", "bytes of packets that a transport handed in"}},
    {Counter::packets_truncated, {"packets_truncated", "dropped: shorter than a packet header"}},
    {Counter::packets_corrupt, {"packets_corrupt", "dropped: checksum does not match"}},
    {Counter::packets_bad_magic, {"packets_bad_magic", "dropped: does not start as a packet"}},
    {Counter::packets_bad_version, {"packets_bad_version", "dropped: of a wire version not spoken here"}},
    {Counter::packets_malformed, {"packets_malformed", "dropped: no source, or its records do not fill it exactly"}},
    {Counter::packets_foreign_cluster, {"packets_foreign_cluster", "dropped: of another cluster"}},
    {Counter::packets_wrong_destination, {"packets_wrong_destination", "dropped: for another node"}},
    {Counter::packets_stale_session, {"packets_stale_session", "dropped: of a session that is not the current one"}},
    {Counter::packets_stale_epoch, {"packets_stale_epoch", "dropped: of an earlier start of its sender"}},
    {Counter::packets_duplicate, {"packets_duplicate", "dropped: packet number already seen"}},
    {Counter::packets_unknown_source, {"packets_unknown_source", "dropped: from a node with no session here"}},
    {Counter::packets_no_peer_slot, {"packets_no_peer_slot", "dropped: hello from a node for which the peer table has no slot"}},
    {Counter::records_unknown, {"records_unknown", "records skipped: of a type that this build does not know"}},
    {Counter::records_malformed, {"records_malformed", "records dropped: their content is not valid"}},
    {Counter::sessions_opened, {"sessions_opened", "sessions with peers that both sides proved"}},
    {Counter::sessions_closed, {"sessions_closed", "sessions with peers that ended"}},
    {Counter::hellos_sent, {"hellos_sent", "session attempts and answers sent"}},
    {Counter::hellos_received, {"hellos_received", "session attempts and answers received"}},
    {Counter::hellos_refused, {"hellos_refused", "session attempts refused here"}},
    {Counter::identity_conflicts, {"identity_conflicts", "a node id was claimed by two live processes, or a voter's by another journal"}},
    {Counter::packets_acked, {"packets_acked", "ack-eliciting packets acknowledged by their receiver"}},
    {Counter::packets_lost, {"packets_lost", "ack-eliciting packets declared lost (RFC 9002 section 6.1)"}},
    {Counter::probe_timeouts, {"probe_timeouts", "probe timeouts fired (RFC 9002 section 6.2)"}},
    {Counter::congestion_events, {"congestion_events", "congestion windows cut: the first loss of a round trip"}},
    {Counter::congestion_persistent,
     {"congestion_persistent", "congestion windows cut to the minimum: nothing of some round trips arrived"}},
    {Counter::packet_size_probes, {"packet_size_probes", "packets of padding sent to try out a longer packet size (RFC 8899)"}},
    {Counter::packet_sizes_raised, {"packet_sizes_raised", "packet sizes of sessions raised: a probe arrived"}},
    {Counter::packet_sizes_lowered,
     {"packet_sizes_lowered", "packet sizes of sessions lowered: long packets vanished, short ones arrived"}},
    {Counter::inbox_full_drops, {"inbox_full_drops", "packets not acknowledged because the inbox had no room"}},
    {Counter::credit_waits, {"credit_waits", "times that a lane began to wait for its peer's credit"}},
    {Counter::credit_updates, {"credit_updates", "settlements sent because there is much more room, or less, than the peer knows"}},
    {Counter::window_full, {"window_full", "publishes refused: a lane's window had no room"}},
    {Counter::messages_sent, {"messages_sent", "messages sent for the first time, one a subscriber"}},
    {Counter::messages_resent, {"messages_resent", "messages sent again after loss or a new session; of long ones each fragment"}},
    {Counter::messages_received, {"messages_received", "messages that arrived whole, without duplicates"}},
    {Counter::messages_duplicate, {"messages_duplicate", "messages that arrived again and were not delivered"}},
    {Counter::messages_joined, {"messages_joined", "messages that arrived in fragments and became whole"}},
    {Counter::messages_delivered, {"messages_delivered", "messages handed to a handler for the first time"}},
    {Counter::messages_delivered_again, {"messages_delivered_again", "messages handed to a handler again after retry_later"}},
    {Counter::messages_accepted, {"messages_accepted", "messages that a handler accepted"}},
    {Counter::messages_rejected, {"messages_rejected", "messages that a handler rejected"}},
    {Counter::messages_retried, {"messages_retried", "verdicts retry_later"}},
    {Counter::messages_pending, {"messages_pending", "verdicts pending"}},
    {Counter::messages_held,
     {"messages_held", "messages held back: by a fence, a key, a durable subscription not back yet, or a stopping node"}},
    {Counter::messages_maybe_repeated, {"messages_maybe_repeated", "messages delivered that may have run before a restart"}},
    {Counter::retry_budget_waits, {"retry_budget_waits", "retries put off: the retry budget was spent"}},
    {Counter::settlements_sent, {"settlements_sent", "settlement records sent"}},
    {Counter::settlements_received, {"settlements_received", "settlement records received"}},
    {Counter::skips_sent, {"skips_sent", "skip records sent: the publisher gave up on messages"}},
    {Counter::skips_received, {"skips_received", "skip records received"}},
    {Counter::alias_table_full, {"alias_table_full", "sends put off or messages dropped for want of an alias slot"}},
    {Counter::published, {"published", "publishes accepted"}},
    {Counter::publish_no_subscriber, {"publish_no_subscriber", "publishes to a topic that nobody subscribes to"}},
    {Counter::publish_outbox_full, {"publish_outbox_full", "publishes refused: no room for payload or deliveries"}},
    {Counter::outcomes_acknowledged, {"outcomes_acknowledged", "deliveries acknowledged"}},
    {Counter::outcomes_expired, {"outcomes_expired", "dead letters: lifetime over"}},
    {Counter::outcomes_rejected, {"outcomes_rejected", "dead letters: the handler rejected it"}},
    {Counter::outcomes_fenced, {"outcomes_fenced", "dead letters: token below the floor or of another lease"}},
    {Counter::outcomes_subscriber_gone, {"outcomes_subscriber_gone", "dead letters: the subscription or its process ended"}},
    {Counter::outcomes_peer_removed, {"outcomes_peer_removed", "dead letters: the peer's slot or lane is gone"}},
    {Counter::outcomes_retry_budget, {"outcomes_retry_budget", "dead letters: a handler wanted it later as often as it may"}},
    {Counter::topic_table_full, {"topic_table_full", "topics refused: the topic table is full"}},
    {Counter::remote_subscriptions_full, {"remote_subscriptions_full", "subscriptions of peers refused: the table is full"}},
    {Counter::messages_fenced, {"messages_fenced", "messages refused by a fence of this node"}},
    {Counter::fence_floor_raised, {"fence_floor_raised", "times that a fence floor rose"}},
    {Counter::payload_invalid, {"payload_invalid", "payloads that did not verify as their type"}},
    {Counter::keys_repeated, {"keys_repeated", "messages that ended as another one under their key had"}},
    {Counter::keys_waited, {"keys_waited", "times that a message waited for the end of another one under its key"}},
    {Counter::keys_refused, {"keys_refused", "messages rejected: no table for their key, or a lifetime too long for it"}},
    {Counter::key_table_full, {"key_table_full", "times that a message waited for room for its key"}},
    {Counter::heartbeats_sent, {"heartbeats_sent", "heartbeats sent"}},
    {Counter::heartbeats_received, {"heartbeats_received", "heartbeats received"}},
    {Counter::peers_suspected, {"peers_suspected", "peers whose heartbeats became late"}},
    {Counter::peers_died, {"peers_died", "peers declared dead"}},
    {Counter::peers_recovered, {"peers_recovered", "suspected or dead peers heard again"}},
    {Counter::elections_started, {"elections_started", "elections that this voter stood in"}},
    {Counter::pre_votes_started, {"pre_votes_started", "pre-votes that this voter asked for"}},
    {Counter::pre_votes_refused, {"pre_votes_refused", "pre-votes that this voter refused"}},
    {Counter::votes_granted, {"votes_granted", "votes granted"}},
    {Counter::votes_refused, {"votes_refused", "votes refused"}},
    {Counter::leaders_elected, {"leaders_elected", "elections won by this voter"}},
    {Counter::leaders_deposed, {"leaders_deposed", "leaderships lost to a higher term"}},
    {Counter::leaders_stepped_down, {"leaders_stepped_down", "leaderships given up: no quorum heard, or handed over"}},
    {Counter::leaders_hung,
     {"leaders_hung", "leaderships offered to others because this disk was at one operation for an election timeout"}},
    {Counter::leaders_yielded, {"leaders_yielded", "leaderships offered to a voter of a better election_rank"}},
    {Counter::appends_sent, {"appends_sent", "append records sent"}},
    {Counter::appends_received, {"appends_received", "append records received"}},
    {Counter::appends_rejected, {"appends_rejected", "appends refused: the log does not match"}},
    {Counter::entries_appended, {"entries_appended", "log entries appended"}},
    {Counter::entries_truncated, {"entries_truncated", "log entries cut off because a leader had others"}},
    {Counter::entries_committed, {"entries_committed", "log entries committed"}},
    {Counter::snapshots_sent, {"snapshots_sent", "ledger images sent to the end"}},
    {Counter::snapshots_installed, {"snapshots_installed", "ledger images received and installed"}},
    {Counter::snapshot_chunks_sent, {"snapshot_chunks_sent", "pieces of ledger images sent"}},
    {Counter::votes_ignored_storage, {"votes_ignored_storage", "votes and acks ignored: of a storage that is not the committed one"}},
    {Counter::proposals_refused, {"proposals_refused", "proposals refused: not leader, or no room in the log"}},
    {Counter::reads_confirmed, {"reads_confirmed", "linearizable reads confirmed by a quorum"}},
    {Counter::promises_waited, {"promises_waited", "replies put off because their journal record was not durable yet"}},
    {Counter::stale_terms, {"stale_terms", "consensus records dropped: of an earlier term"}},
    {Counter::replicas_diverged,
     {"replicas_diverged", "this voter stopped: its log, state, limits, clock bound or build are not the others'"}},
    {Counter::commands_applied, {"commands_applied", "ledger commands executed"}},
    {Counter::commands_repeated, {"commands_repeated", "ledger commands answered from memory, not executed again"}},
    {Counter::sessions_evicted, {"sessions_evicted", "ledger sessions that made room for new ones"}},
    {Counter::leases_granted, {"leases_granted", "leases granted"}},
    {Counter::leases_renewed, {"leases_renewed", "leases renewed"}},
    {Counter::leases_released, {"leases_released", "leases released by their holder"}},
    {Counter::leases_expired, {"leases_expired", "leases that ran out"}},
    {Counter::leases_refused, {"leases_refused", "leases refused: held by somebody else"}},
    {Counter::ticks_proposed, {"ticks_proposed", "entries proposed only to move cluster time on"}},
    {Counter::renewals_refused, {"renewals_refused", "renewals refused: the grant is no longer current"}},
    {Counter::ledger_full, {"ledger_full", "commands refused: a table of the ledger is full"}},
    {Counter::requests_timed_out, {"requests_timed_out", "ledger calls of this node that ended unknown"}},
    {Counter::requests_retried, {"requests_retried", "ledger calls of this node sent again"}},
    {Counter::circuits_opened, {"circuits_opened", "circuits to voters opened: silent again and again"}},
    {Counter::circuits_half_opened, {"circuits_half_opened", "circuits to voters half-open: one question after the pause"}},
    {Counter::circuits_closed, {"circuits_closed", "circuits to voters closed: they answer again"}},
    {Counter::leases_in_jeopardy, {"leases_in_jeopardy", "leases of this node not renewed in good time"}},
    {Counter::leases_lost, {"leases_lost", "leases of this node that ended against its will"}},
    {Counter::journal_appends, {"journal_appends", "journal records appended"}},
    {Counter::journal_bytes, {"journal_bytes", "bytes appended to the journal, heads included"}},
    {Counter::journal_syncs, {"journal_syncs", "journal syncs completed"}},
    {Counter::journal_compactions, {"journal_compactions", "journal checkpoints completed"}},
    {Counter::journal_erases, {"journal_erases", "erase blocks of the journal's flash that were erased: its wear"}},
    {Counter::journal_busy, {"journal_busy", "appends put off: the buffer is full or a checkpoint is under way"}},
    {Counter::journal_errors, {"journal_errors", "journal operations that the device failed"}},
    {Counter::journal_torn_tails, {"journal_torn_tails", "recoveries that cut off an unfinished tail"}},
    {Counter::events_dropped, {"events_dropped", "events dropped: not polled in time"}},
    {Counter::mailbox_refused, {"mailbox_refused", "publishes from a mailbox that were refused for good"}},
};

constexpr bool complete() {
    if (std::size(kRows) != kCounterCount) return false;
    for (std::size_t i = 0; i < kCounterCount; ++i) {
        if (static_cast<std::size_t>(kRows[i].counter) != i || kRows[i].info.meaning.empty()) return false;
    }
    return true;
}
static_assert(complete(), "every Counter has one row here, in the order of the enumerators");

constexpr std::array<CounterInfo, kCounterCount> make_infos() {
    std::array<CounterInfo, kCounterCount> infos{};
    for (std::size_t i = 0; i < kCounterCount; ++i) infos[i] = kRows[i].info;
    return infos;
}
constexpr std::array<CounterInfo, kCounterCount> kInfos = make_infos();

}  // namespace

const CounterInfo& info(Counter counter) {
    DUNLIN_ASSERT(counter < Counter::count_);
    return kInfos[static_cast<std::size_t>(counter)];
}

}  // namespace dunlin
