#include "journal_contents.hpp"

#include <dunlin/bus/filter.hpp>
#include <dunlin/consensus/journal_records.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/ledger/commands.hpp>
#include <dunlin/link/settlement_book.hpp>
#include <dunlin/node/records.hpp>
#include <dunlin/wire/wire.hpp>

#include <algorithm>
#include <cstring>
#include <span>

namespace dunlin_tool {
namespace {

using dunlin::Status;
using dunlin::take;
using dunlin::take_all;
using dunlin::journal::RecordKind;
using Bytes = std::span<const std::byte>;

// ---- The node's own ---------------------------------------------------------------------------------------------------

Status add_format(JournalContents& contents, Bytes bytes) {
    const auto info = dunlin::journal::decode_format_info(bytes);
    if (info.ok()) contents.format = info.value();
    return info.status();
}

Status add_bind(JournalContents& contents, Bytes bytes) {
    dunlin::BindRecord bind{};
    if (!take_all(bytes, bind)) return Status::corrupt;
    contents.incarnation = dunlin::ClusterIncarnation{bind.incarnation};
    return Status::ok;
}

Status add_epoch(JournalContents& contents, Bytes bytes) {
    dunlin::EpochRecord epoch{};
    if (!take_all(bytes, epoch)) return Status::corrupt;
    contents.epoch = dunlin::BootEpoch{epoch.epoch};
    return Status::ok;
}

// ---- Links ------------------------------------------------------------------------------------------------------------

Status add_watermark(JournalContents& contents, Bytes bytes) {
    const dunlin::NodeId publisher = dunlin::link::watermark_publisher(bytes);
    if (publisher == dunlin::NodeId{}) return Status::corrupt;
    dunlin::link::WatermarkHead head;
    if (!take(bytes, head) || head.stream == 0) return Status::corrupt;
    contents.watermarks[{publisher.value(), head.lane}] = {
        .stream = dunlin::StreamId{head.stream}, .settled_through = dunlin::Sequence{head.cumulative}, .notes = head.notes};
    return Status::ok;
}

Status add_void(JournalContents& contents, Bytes bytes) {
    dunlin::WatermarkVoidRecord voided{};
    if (!take_all(bytes, voided)) return Status::corrupt;
    std::erase_if(contents.watermarks, [&voided](const auto& each) { return each.first.first == voided.publisher; });
    return Status::ok;
}

// ---- The bus ----------------------------------------------------------------------------------------------------------

Status add_floor(JournalContents& contents, Bytes bytes) {
    dunlin::bus::FenceFloorRecord floor{};
    if (!take_all(bytes, floor)) return Status::corrupt;
    std::uint64_t& token = contents.fence_floors[floor.lease];
    token = std::max(token, floor.token);
    return Status::ok;
}

Status add_position(JournalContents& contents, Bytes bytes) {
    dunlin::bus::PositionRecord record{};
    if (!take_all(bytes, record)) return Status::corrupt;
    if (record.slot == static_cast<std::uint64_t>(dunlin::bus::PositionSlot::publish)) contents.publish_position = record.value;
    if (record.slot != static_cast<std::uint64_t>(dunlin::bus::PositionSlot::receive)) return Status::ok;
    contents.receive_position = record.value;
    contents.unconfirmed_keys.clear();
    return Status::ok;
}

// What had the slot before had run out; a key that is written again may have moved.
Status add_key(JournalContents& contents, Bytes bytes) {
    dunlin::bus::KeyRecord record{};
    if (!take_all(bytes, record) || record.remaining_us <= 0) return Status::corrupt;
    const JournalContents::KeyName name{record.high, record.low, record.subscription};
    const auto known = contents.key_slots.find(name);
    if (known != contents.key_slots.end() && known->second == record.slot) {
        std::int64_t& remaining_us = contents.keys.at(record.slot).remaining_us;
        remaining_us = std::max(remaining_us, record.remaining_us);
        return Status::ok;
    }
    if (known != contents.key_slots.end()) contents.keys.erase(known->second);
    if (const auto before = contents.keys.find(record.slot); before != contents.keys.end()) contents.key_slots.erase(before->second.name);
    contents.keys[record.slot] = {.name = name, .remaining_us = record.remaining_us};
    contents.key_slots[name] = record.slot;
    contents.unconfirmed_keys.insert(record.slot);
    return Status::ok;
}

Status add_subscription(JournalContents& contents, Bytes bytes) {
    dunlin::bus::RemoteSubscriptionRecord record{};
    if (!take(bytes, record)) return Status::corrupt;
    const std::string_view filter(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (filter.size() != record.filter_bytes || !dunlin::bus::valid_filter(filter, filter.size())) return Status::corrupt;
    contents.subscriptions[{record.node, record.subscription}] = filter;
    return Status::ok;
}

Status remove_subscription(JournalContents& contents, Bytes bytes) {
    dunlin::bus::RemoteSubscriptionRemovedRecord record{};
    if (!take_all(bytes, record)) return Status::corrupt;
    contents.subscriptions.erase({record.node, record.subscription});
    return Status::ok;
}

// ---- The outbox -------------------------------------------------------------------------------------------------------

Status add_put(JournalContents& contents, Bytes bytes) {
    using dunlin::bus::kPutKeyed;
    using dunlin::bus::kPutPosition;
    dunlin::bus::OutboxPutRecord head{};
    if (!take(bytes, head)) return Status::corrupt;
    const std::uint64_t key_bytes = (head.flags & kPutKeyed) != 0 ? sizeof(dunlin::wire::KeyBlock) : 0;
    if (bytes.size() != head.topic_bytes + key_bytes + head.payload_bytes) return Status::corrupt;
    if (head.topic_bytes == 0 || head.lifetime_us < 0) return Status::corrupt;
    if ((head.flags & kPutPosition) != 0) contents.publish_position = head.position;
    contents.outbox.try_emplace(head.publish);
    contents.highest_token = std::max(contents.highest_token, head.token);
    return Status::ok;
}

Status add_delivery(JournalContents& contents, Bytes bytes) {
    dunlin::bus::OutboxDeliveryRecord record{};
    if (!take_all(bytes, record)) return Status::corrupt;
    const auto message = contents.outbox.find(record.publish);
    if (message == contents.outbox.end() || (record.outcome == 0 && record.lane >= dunlin::kLanesMax)) return Status::corrupt;
    auto& delivery = message->second.try_emplace({record.node, record.subscription}).first->second;
    if (record.outcome != 0) delivery.outcome_known = true;
    return Status::ok;
}

Status add_done(JournalContents& contents, Bytes bytes) {
    if (bytes.size() % sizeof(dunlin::bus::OutboxDoneRecord) != 0) return Status::corrupt;
    for (dunlin::bus::OutboxDoneRecord record{}; take(bytes, record);) {
        const auto message = contents.outbox.find(record.publish);
        if (message == contents.outbox.end()) continue;  // the checkpoint since then has left it out
        const auto delivery = message->second.find({record.node, record.subscription});
        if (delivery == message->second.end()) continue;
        if (record.outcome != 0) {
            delivery->second.outcome_known = true;
            continue;
        }
        message->second.erase(delivery);
        if (message->second.empty()) contents.outbox.erase(message);
    }
    return Status::ok;
}

Status check_lane(Bytes bytes) {
    dunlin::bus::LaneNextRecord record{};
    return take(bytes, record) && record.next != 0 && record.lane < dunlin::kLanesMax ? Status::ok : Status::corrupt;
}

// ---- The replica ------------------------------------------------------------------------------------------------------

Status add_hard_state(ReplicaContents& replica, Bytes bytes) {
    dunlin::consensus::HardStateRecord record;
    if (!take(bytes, record)) return Status::corrupt;
    replica.term = record.term;
    replica.voted_for = dunlin::NodeId{record.voted_for};
    return Status::ok;
}

Status add_bootstrap(ReplicaContents& replica, Bytes payload) {
    dunlin::ledger::BootstrapHead head{};
    if (!dunlin::ledger::decode(payload, head)) return Status::corrupt;
    replica.founders.clear();
    for (std::size_t i = 0; i < head.voter_count; ++i) replica.founders.push_back(dunlin::ledger::bootstrap_voter(payload, i));
    return Status::ok;
}

Status add_entry(ReplicaContents& replica, Bytes bytes) {
    dunlin::consensus::LogEntryRecord record;
    if (!take(bytes, record)) return Status::corrupt;
    const std::uint64_t base = replica.base.index.value();
    if (record.index <= base) return Status::ok;  // the snapshot has it
    if (record.index > replica.last_index() + 1) return Status::corrupt;
    replica.log.resize(static_cast<std::size_t>(record.index - base - 1));
    if (record.term < replica.last_term() || record.time < replica.last_time()) return Status::corrupt;
    const auto type = static_cast<dunlin::consensus::EntryType>(record.type);
    replica.log.push_back({.term = record.term, .time = record.time, .type = type, .payload = {bytes.begin(), bytes.end()}});
    replica.commit = std::max(replica.commit, record.commit);
    dunlin::ledger::MembersEntry members{};
    switch (type) {
        case dunlin::consensus::EntryType::bootstrap: return add_bootstrap(replica, bytes);
        case dunlin::consensus::EntryType::members: return decode(bytes, members);
        default: return Status::ok;
    }
}

// The snapshot is whole: its tables.
Status take_image(ReplicaContents& replica) {
    Bytes bytes = replica.chunks;
    dunlin::ledger::ImageHeader header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    const dunlin::LedgerLimits limits = header.limits;
    if (const Status status = dunlin::ledger::verify_image(bytes, limits); status != Status::ok) return status;
    const dunlin::ledger::Image image(replica.chunks, limits);
    replica.base = {.index = dunlin::LogIndex{header.applied_index},
                    .term = dunlin::Term{header.applied_term},
                    .time = dunlin::ClusterTime{header.cluster_time}};
    replica.log.clear();
    replica.commit = header.applied_index;
    replica.cluster_time = header.cluster_time;
    replica.grants_after = header.grants_after;
    replica.founders.clear();
    replica.leases.clear();
    replica.keys = replica.sessions = 0;
    for (std::size_t i = 0; i < dunlin::ledger::member_rows(limits); ++i) {
        if (image.member(i).storage != 0) replica.founders.push_back(image.member(i));
    }
    for (std::size_t i = 0; i < limits.leases; ++i) {
        if (image.lease(i).token != 0) replica.leases.push_back(image.lease(i));
    }
    for (std::size_t i = 0; i < limits.keys; ++i) replica.keys += image.key(i).revision != 0 ? 1 : 0;
    for (std::size_t i = 0; i < limits.sessions; ++i) replica.sessions += image.session(i).id != 0 ? 1 : 0;
    return Status::ok;
}

Status add_chunk(ReplicaContents& replica, Bytes bytes) {
    constexpr dunlin::LedgerLimits kLargest{
        .leases = 1024, .keys = 1024, .sessions = 1024, .members = 1024, .value_bytes = dunlin::kValueBytesMax};
    static_assert(dunlin::ledger::valid(kLargest));
    dunlin::ImageChunkRecord chunk;
    if (!take(bytes, chunk)) return Status::corrupt;
    const std::size_t total = chunk.total_bytes;
    if (total < sizeof(dunlin::ledger::ImageHeader) || total > dunlin::ledger::image_bytes(kLargest)) return Status::corrupt;
    if (chunk.offset > total || bytes.size() > total - chunk.offset) return Status::corrupt;
    replica.chunks.resize(total);
    std::ranges::copy(bytes, replica.chunks.begin() + chunk.offset);
    return chunk.offset + bytes.size() < total ? Status::ok : take_image(replica);
}

}  // namespace

std::vector<dunlin::ledger::MemberRow> ReplicaContents::members() const {
    using dunlin::consensus::ChangeOp;
    std::vector<dunlin::ledger::MemberRow> rows = founders;
    for (const Entry& entry : log) {
        dunlin::ledger::MembersEntry members{};
        if (entry.type != dunlin::consensus::EntryType::members || decode(entry.payload, members) != Status::ok) continue;
        const dunlin::consensus::ConfigChange& change = members.command.change;
        const auto op = static_cast<ChangeOp>(change.op);
        const dunlin::NodeId node{change.node};
        const auto found = std::ranges::find(rows, node.value(), [](const dunlin::ledger::MemberRow& row) { return row.node; });
        if (op == ChangeOp::add_learner && found == rows.end()) {
            rows.push_back(dunlin::ledger::voter_row(node, dunlin::StorageId{change.storage}, members.command.address));
            rows.back().flags = dunlin::ledger::kMemberLearner;
        } else if (op == ChangeOp::remove && found != rows.end()) {
            rows.erase(found);
        } else if (found != rows.end()) {
            found->flags = op == ChangeOp::promote ? dunlin::ledger::kMemberVoter : dunlin::ledger::kMemberLearner;
        }
    }
    return rows;
}

Status replay(JournalContents& contents, const dunlin::journal::RecoveredRecord& record) {
    const Bytes bytes = record.bytes;
    ++contents.records[record.kind];
    switch (record.kind) {
        case RecordKind::format: return add_format(contents, bytes);
        case RecordKind::bind: return add_bind(contents, bytes);
        case RecordKind::epoch: return add_epoch(contents, bytes);
        case RecordKind::watermark: return add_watermark(contents, bytes);
        case RecordKind::watermark_void: return add_void(contents, bytes);
        case RecordKind::fence_floor: return add_floor(contents, bytes);
        case RecordKind::position: return add_position(contents, bytes);
        case RecordKind::explicit_key: return add_key(contents, bytes);
        case RecordKind::remote_subscription: return add_subscription(contents, bytes);
        case RecordKind::remote_subscription_removed: return remove_subscription(contents, bytes);
        case RecordKind::outbox_put: return add_put(contents, bytes);
        case RecordKind::outbox_delivery: return add_delivery(contents, bytes);
        case RecordKind::outbox_done: return add_done(contents, bytes);
        case RecordKind::lane_next: return check_lane(bytes);
        case RecordKind::hard_state: contents.replica.present = true; return add_hard_state(contents.replica, bytes);
        case RecordKind::log_entry: contents.replica.present = true; return add_entry(contents.replica, bytes);
        case RecordKind::image_chunk: contents.replica.present = true; return add_chunk(contents.replica, bytes);
        case RecordKind::none: break;
    }
    return Status::ok;
}

std::string_view name_of(RecordKind kind) {
    switch (kind) {
        case RecordKind::none: break;
        case RecordKind::format: return "format";
        case RecordKind::bind: return "bind";
        case RecordKind::epoch: return "epoch";
        case RecordKind::hard_state: return "hard_state";
        case RecordKind::log_entry: return "log_entry";
        case RecordKind::image_chunk: return "image_chunk";
        case RecordKind::watermark: return "watermark";
        case RecordKind::fence_floor: return "fence_floor";
        case RecordKind::position: return "position";
        case RecordKind::outbox_put: return "outbox_put";
        case RecordKind::outbox_done: return "outbox_done";
        case RecordKind::remote_subscription: return "remote_subscription";
        case RecordKind::remote_subscription_removed: return "remote_subscription_removed";
        case RecordKind::outbox_delivery: return "outbox_delivery";
        case RecordKind::lane_next: return "lane_next";
        case RecordKind::watermark_void: return "watermark_void";
        case RecordKind::explicit_key: return "explicit_key";
    }
    return "unknown";
}

}  // namespace dunlin_tool
