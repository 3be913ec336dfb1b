#pragma once

#include <dunlin/bus/records.hpp>
#include <dunlin/consensus/entry.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/format_info.hpp>
#include <dunlin/journal/record.hpp>
#include <dunlin/ledger/image.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace dunlin_tool {

// A voter's part: the snapshot of the ledger and the log behind it.
struct ReplicaContents {
    struct Entry {
        std::uint64_t term = 0;
        std::uint64_t time = 0;
        dunlin::consensus::EntryType type = dunlin::consensus::EntryType::none;
        std::vector<std::byte> payload{};
    };

    // The members as the whole log has them, committed or not.
    [[nodiscard]] std::vector<dunlin::ledger::MemberRow> members() const;

    [[nodiscard]] std::uint64_t last_index() const { return base.index.value() + log.size(); }
    [[nodiscard]] std::uint64_t last_term() const { return log.empty() ? base.term.value() : log.back().term; }
    [[nodiscard]] std::uint64_t last_time() const { return log.empty() ? base.time.value() : log.back().time; }

    bool present = false;
    std::uint64_t term = 0;
    dunlin::NodeId voted_for{};            // 0: nobody in this term
    dunlin::consensus::ImagePoint base{};  // the snapshot's; index 0: there is none
    std::vector<Entry> log;                // from behind base on
    std::uint64_t commit = 0;              // known to be committed when the last entry was written
    std::vector<std::byte> chunks;         // of the snapshot, as they come

    // The snapshot's tables; `founders`: its members, or those of a bootstrap entry that no snapshot covers yet.
    std::vector<dunlin::ledger::MemberRow> founders;
    std::vector<dunlin::ledger::LeaseRow> leases;
    std::uint64_t keys = 0;
    std::uint64_t sessions = 0;
    std::uint64_t cluster_time = 0;
    std::uint32_t grants_after = 0;
};

// What the records of a journal add up to. Numbers, names and times are as written: what a start itself would end (deliveries of
// volatile subscriptions of a peer that was restarted, keys that ran out) is still counted.
struct JournalContents {
    struct Delivery {
        bool outcome_known;  // and not told yet
    };
    struct Watermark {
        dunlin::StreamId stream;
        dunlin::Sequence settled_through;
        std::size_t notes;  // outcomes other than acknowledged that the publisher may not know
    };
    using KeyName = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>;  // its two halves, the subscription
    struct Key {
        KeyName name;
        std::int64_t remaining_us;  // when it was written
    };
    using Subscriber = std::pair<std::uint16_t, std::uint32_t>;  // node, subscription

    std::map<dunlin::journal::RecordKind, std::uint64_t> records;  // how many of each kind
    dunlin::journal::FormatInfo format{};
    dunlin::ClusterIncarnation incarnation{};                               // 0: it never met its cluster
    dunlin::BootEpoch epoch{};                                              // 0: never started
    std::map<std::uint64_t, std::map<Subscriber, Delivery>> outbox;         // by publish
    std::map<Subscriber, std::string> subscriptions;                        // of peers, durable: the filter
    std::map<std::pair<std::uint16_t, std::size_t>, Watermark> watermarks;  // by publisher and lane
    std::map<std::uint16_t, Key> keys;                                      // by slot
    std::map<KeyName, std::uint16_t> key_slots;
    std::set<std::uint16_t> unconfirmed_keys;             // slots: no position follows yet, so they do not count
    std::map<std::uint64_t, std::uint64_t> fence_floors;  // token by LeaseKey
    std::uint64_t highest_token = 0;                      // of a message under a lease that was ever in the outbox
    std::uint64_t publish_position = 0;
    std::uint64_t receive_position = 0;
    ReplicaContents replica;
};

// Adds the next record, in order, by the rules by which a node replays it, but under no node's limits. corrupt: no node would take it;
// unsupported_version. A kind that this build does not know is counted and passed over, as a node does.
[[nodiscard]] dunlin::Status replay(JournalContents& contents, const dunlin::journal::RecoveredRecord& record);

// "outbox_put"; "unknown" for a kind of another build.
[[nodiscard]] std::string_view name_of(dunlin::journal::RecordKind kind);

}  // namespace dunlin_tool
