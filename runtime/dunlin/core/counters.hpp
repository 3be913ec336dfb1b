#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dunlin {

// Every figure the runtime keeps about itself, in one list: names are public interface (status --counters, simulator
// coverage marks), so they are only ever added. What each means stands in
// counters.cpp, where an enumerator added here gets its name and meaning.
enum class Counter : std::uint16_t {
    // Packets
    packets_sent,
    packets_received,
    bytes_sent,
    bytes_received,
    packets_truncated,
    packets_corrupt,
    packets_bad_magic,
    packets_bad_version,
    packets_malformed,
    packets_foreign_cluster,
    packets_wrong_destination,
    packets_stale_session,
    packets_stale_epoch,
    packets_duplicate,
    packets_unknown_source,
    packets_no_peer_slot,
    records_unknown,
    records_malformed,
    // Link
    sessions_opened,
    sessions_closed,
    hellos_sent,
    hellos_received,
    hellos_refused,
    identity_conflicts,
    packets_acked,
    packets_lost,
    probe_timeouts,
    congestion_events,
    congestion_persistent,
    packet_size_probes,
    packet_sizes_raised,
    packet_sizes_lowered,
    inbox_full_drops,
    credit_waits,
    credit_updates,
    window_full,
    messages_sent,
    messages_resent,
    messages_received,
    messages_duplicate,
    messages_joined,
    messages_delivered,
    messages_delivered_again,
    messages_accepted,
    messages_rejected,
    messages_retried,
    messages_pending,
    messages_held,
    messages_maybe_repeated,
    retry_budget_waits,
    settlements_sent,
    settlements_received,
    skips_sent,
    skips_received,
    alias_table_full,
    // Bus
    published,
    publish_no_subscriber,
    publish_outbox_full,
    outcomes_acknowledged,
    outcomes_expired,
    outcomes_rejected,
    outcomes_fenced,
    outcomes_subscriber_gone,
    outcomes_peer_removed,
    outcomes_retry_budget,
    topic_table_full,
    remote_subscriptions_full,
    messages_fenced,
    fence_floor_raised,
    payload_invalid,
    keys_repeated,
    keys_waited,
    keys_refused,
    key_table_full,
    // Membership
    heartbeats_sent,
    heartbeats_received,
    peers_suspected,
    peers_died,
    peers_recovered,
    // Consensus
    elections_started,
    pre_votes_started,
    pre_votes_refused,
    votes_granted,
    votes_refused,
    leaders_elected,
    leaders_deposed,
    leaders_stepped_down,
    leaders_hung,
    leaders_yielded,
    appends_sent,
    appends_received,
    appends_rejected,
    entries_appended,
    entries_truncated,
    entries_committed,
    snapshots_sent,
    snapshots_installed,
    snapshot_chunks_sent,
    votes_ignored_storage,
    proposals_refused,
    reads_confirmed,
    promises_waited,
    stale_terms,
    replicas_diverged,
    // Ledger
    commands_applied,
    commands_repeated,
    sessions_evicted,
    leases_granted,
    leases_renewed,
    leases_released,
    leases_expired,
    leases_refused,
    ticks_proposed,
    renewals_refused,
    ledger_full,
    requests_timed_out,
    requests_retried,
    circuits_opened,
    circuits_half_opened,
    circuits_closed,
    leases_in_jeopardy,
    leases_lost,
    // Journal
    journal_appends,
    journal_bytes,
    journal_syncs,
    journal_compactions,
    journal_erases,
    journal_busy,
    journal_errors,
    journal_torn_tails,
    // Node
    events_dropped,
    mailbox_refused,
    count_
};

inline constexpr std::size_t kCounterCount = static_cast<std::size_t>(Counter::count_);

struct CounterInfo {
    std::string_view name;     // as the enumerator
    std::string_view meaning;  // one line
};
[[nodiscard]] const CounterInfo& info(Counter counter);

// A node's counters. Each counts modulo 2^32 (as SNMP's Counter32): readers that poll take differences.
class Counters {
  public:
    void add(Counter counter, std::uint32_t amount = 1) { values_[static_cast<std::size_t>(counter)] += amount; }
    [[nodiscard]] std::uint32_t get(Counter counter) const { return values_[static_cast<std::size_t>(counter)]; }

  private:
    std::array<std::uint32_t, kCounterCount> values_{};
};

}  // namespace dunlin
