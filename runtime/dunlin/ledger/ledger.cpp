#include <dunlin/core/assert.hpp>
#include <dunlin/core/checksum.hpp>
#include <dunlin/ledger/ledger.hpp>
#include <dunlin/wire/record.hpp>

#include <algorithm>

namespace dunlin::ledger {
Ledger::Ledger(const LedgerStorage& storage, Counters& counters)
    : image_(storage.image, storage.limits), counters_(&counters), known_level_(storage.feature_level) {
    image_.clear();
}

// ---- Applying ---------------------------------------------------------------------------------------------------

ApplyResult Ledger::apply(const consensus::Entry& entry) {
    DUNLIN_ASSERT(status_ == Status::ok);
    DUNLIN_ASSERT(entry.index == applied().next());
    ApplyResult result{};
    status_ = admissible(entry);
    if (status_ != Status::ok) {
        result.replica = status_;
        return result;
    }
    ImageHeader& header = image_.header();
    header.applied_index = entry.index.value();
    header.applied_term = entry.term.value();
    header.cluster_time = std::max<std::uint64_t>(header.cluster_time, entry.time.value());
    const std::uint64_t what[] = {header.applied_index, header.applied_term, header.cluster_time, static_cast<std::uint64_t>(entry.type)};
    mix(std::as_bytes(std::span(what)));
    expire_leases();
    switch (entry.type) {
        case consensus::EntryType::bootstrap: apply_bootstrap(entry.payload); break;
        case consensus::EntryType::command: apply_command(entry.payload, result); break;
        case consensus::EntryType::renewals: apply_renewals(entry.payload); break;
        case consensus::EntryType::members: apply_members(entry.payload, result); break;
        case consensus::EntryType::feature: apply_feature(entry.payload); break;
        case consensus::EntryType::tick:
        case consensus::EntryType::none: break;
    }
    const std::uint64_t told[] = {static_cast<std::uint64_t>(result.command.status), result.command.detail, result.command.value};
    mix(std::as_bytes(std::span(told)));
    return result;
}

// Everything that makes a replica stop is found before the entry changes anything.
Status Ledger::admissible(const consensus::Entry& entry) const {
    switch (entry.type) {
        case consensus::EntryType::none:
        case consensus::EntryType::renewals:
        case consensus::EntryType::tick: return Status::ok;
        case consensus::EntryType::bootstrap: {
            BootstrapHead head{};
            if (!decode(entry.payload, head)) return Status::corrupt;
            if (head.feature_level > known_level_) return Status::unsupported_version;
            return head.limits == image_.limits() ? Status::ok : Status::invalid_argument;
        }
        case consensus::EntryType::command: {
            const CommandHead head = wire::load<CommandHead>(entry.payload);
            if (entry.payload.size() < sizeof head) return Status::ok;  // malformed, and answered so
            const Status known = validate_command(static_cast<CommandType>(head.type), entry.payload.subspan(sizeof head));
            return known == Status::unsupported_version ? known : Status::ok;
        }
        case consensus::EntryType::members: {
            MembersEntry change{};
            const Status known = decode(entry.payload, change);
            const bool adds = change.command.change.op == static_cast<std::uint8_t>(consensus::ChangeOp::add_learner);
            if (known != Status::ok || !adds || find_member(NodeId{change.command.change.node}) != kNoSlot) return known;
            return find_member({}) != kNoSlot ? Status::ok : Status::corrupt;
        }
        case consensus::EntryType::feature: {
            FeatureEntry feature{};
            if (!decode(entry.payload, feature)) return Status::corrupt;
            return feature.level > known_level_ ? Status::unsupported_version : Status::ok;
        }
    }
    return Status::unsupported_version;
}

void Ledger::apply_bootstrap(std::span<const std::byte> payload) {
    if (image_.header().incarnation != 0) return;  // a cluster begins once
    BootstrapHead head{};
    const bool sound = decode(payload, head);
    DUNLIN_ASSERT(sound);
    image_.header().incarnation = head.incarnation;
    image_.header().voters_index = image_.header().applied_index;
    image_.header().voter_rate_ppm = head.voter_rate_ppm;
    image_.header().feature_level = head.feature_level;
    for (std::size_t i = 0; i < head.voter_count; ++i) mix_row(i, image_.store(i, bootstrap_voter(payload, i)));
    mix(payload);
}

void Ledger::apply_feature(std::span<const std::byte> payload) {
    std::uint32_t& level = image_.header().feature_level;
    level = std::max(level, wire::load<FeatureEntry>(payload).level);
    mix(payload);
}

void Ledger::apply_renewals(std::span<const std::byte> payload) {
    RenewalsHead head{};
    if (!take(payload, head) || payload.size() != renewal_bitmap_bytes(image_.limits())) return;
    for (std::size_t slot = 0; slot < image_.limits().leases; ++slot) {
        if ((std::to_integer<unsigned>(payload[slot / 8]) >> (slot % 8) & 1u) == 0) continue;
        LeaseRow row = image_.lease(slot);
        if (row.token == 0 || row.token > head.as_of || row.deadline <= image_.header().cluster_time) {
            counters_->add(Counter::renewals_refused);
            continue;
        }
        row.deadline = image_.header().cluster_time + row.ttl_us;
        mix_row(slot, image_.store(slot, row));
        counters_->add(Counter::leases_renewed);
    }
}

void Ledger::apply_members(std::span<const std::byte> payload, ApplyResult& result) {
    MembersEntry entry{};
    const Status sound = decode(payload, entry);
    DUNLIN_ASSERT(sound == Status::ok);
    const consensus::ConfigChange& change = entry.command.change;
    const auto op = static_cast<consensus::ChangeOp>(change.op);
    std::uint16_t slot = find_member(NodeId{change.node});
    if (op == consensus::ChangeOp::add_learner) {
        if (slot == kNoSlot) slot = find_member({});
        MemberRow row = voter_row(NodeId{change.node}, StorageId{change.storage}, entry.command.address);
        row.flags = kMemberLearner;
        mix_row(slot, image_.store(slot, row));
    } else if (slot != kNoSlot && image_.member(slot).storage == change.storage) {
        MemberRow row = image_.member(slot);
        row.flags = op == consensus::ChangeOp::promote ? kMemberVoter : kMemberLearner;
        mix_row(slot, image_.store(slot, op == consensus::ChangeOp::remove ? MemberRow{} : row));
    }
    image_.header().voters_index = image_.header().applied_index;
    result.command.value = image_.header().applied_index;
    const std::uint16_t session = find_session(SessionId{entry.head.session});
    if (session == kNoSlot) return;
    const SessionRow asked = image_.session(session);
    if (asked.node == entry.head.node && asked.sequence < entry.head.sequence) remember(session, entry.head, result.command);
}

void Ledger::expire_leases() {
    for (std::size_t expired = 0; expired < kExpiriesPerEntry; ++expired) {
        const std::uint16_t slot = next_to_expire();
        if (slot == kNoSlot || image_.lease(slot).deadline > image_.header().cluster_time) return;
        free_lease(slot);
        counters_->add(Counter::leases_expired);
    }
}

void Ledger::free_lease(std::uint16_t slot) { mix_row(slot, image_.store(slot, LeaseRow{})); }

// ---- Commands ---------------------------------------------------------------------------------------------------

void Ledger::apply_command(std::span<const std::byte> payload, ApplyResult& result) {
    CommandHead head{};
    if (!take(payload, head) || head.session == 0 || head.node == 0) {
        result.command.status = Status::invalid_argument;
        return;
    }
    const CommandType type = static_cast<CommandType>(head.type);
    if (type == CommandType::open_session) {
        result.command = open_session(head, payload);
        return;
    }
    const std::uint16_t slot = find_session(SessionId{head.session});
    if (slot == kNoSlot || image_.session(slot).node != head.node) {
        result.command = {Status::session_evicted, 0, image_.header().applied_index};
        return;
    }
    const SessionRow row = image_.session(slot);
    if (head.sequence <= row.sequence) {
        result.repeated = true;
        result.command = head.sequence == row.sequence && head.sequence != 0
                             ? CommandResult{static_cast<Status>(row.status), row.detail, row.value}
                             : CommandResult{.status = Status::stale_sequence};
        counters_->add(Counter::commands_repeated);
        return;
    }
    result.command = execute(type, head, payload);
    remember(slot, head, result.command);
}

// What the session ran last, and its answer.
void Ledger::remember(std::uint16_t slot, const CommandHead& head, const CommandResult& result) {
    counters_->add(Counter::commands_applied);
    SessionRow row = image_.session(slot);
    row.sequence = head.sequence;
    row.value = result.value;
    row.detail = result.detail;
    row.status = static_cast<std::uint8_t>(result.status);
    row.last_used = image_.header().applied_index;
    mix_row(slot, image_.store(slot, row));
}

CommandResult Ledger::execute(CommandType type, const CommandHead& head, std::span<const std::byte> body) {
    AcquireCommand acquire{};
    ReleaseCommand release{};
    PutCommand put{};
    if (type == CommandType::acquire && decode(body, acquire)) return run_acquire(head, acquire);
    if (type == CommandType::release && decode(body, release)) return run_release(head, release);
    if (type == CommandType::put && decode(body, put)) return run_put(put);
    return {.status = Status::invalid_argument};
}

CommandResult Ledger::open_session(const CommandHead& head, std::span<const std::byte> body) {
    OpenSessionCommand command{};
    if (head.sequence != 0 || !decode(body, command)) return {.status = Status::invalid_argument};
    const std::uint16_t known = find_session(SessionId{head.session});
    if (known != kNoSlot && image_.session(known).node == head.node) return {};
    ImageHeader& header = image_.header();
    const bool may_be_gone = command.as_of < header.sessions_gone || command.as_of >= header.applied_index;
    if (known != kNoSlot || may_be_gone) return {Status::stale_sequence, 0, header.applied_index};
    const std::uint16_t slot = session_slot_for(NodeId{head.node});
    SessionRow row = image_.session(slot);
    if (row.id != 0) {
        counters_->add(Counter::sessions_evicted);
        header.sessions_gone = std::max<std::uint64_t>(header.sessions_gone, row.last_used);
    }
    row = {};
    row.id = head.session;
    row.node = head.node;
    row.last_used = header.applied_index;
    mix_row(slot, image_.store(slot, row));
    return {};
}

// The node's own session if it has one, else a free row, else the one least recently used.
std::uint16_t Ledger::session_slot_for(NodeId node) const {
    std::uint16_t best = 0;
    for (std::uint16_t slot = 0; slot < image_.limits().sessions; ++slot) {
        const SessionRow row = image_.session(slot);
        if (row.node == node.value()) return slot;
        if (row.last_used < image_.session(best).last_used) best = slot;  // a free row was last used at 0
    }
    return best;
}

CommandResult Ledger::run_acquire(const CommandHead& head, const AcquireCommand& command) {
    const std::uint64_t grants_after = image_.header().grants_after * std::uint64_t{1'000'000};
    if (image_.header().cluster_time < grants_after) {
        counters_->add(Counter::leases_refused);
        return {Status::lease_held, 0, grants_after - image_.header().cluster_time};
    }
    std::uint16_t slot = find_lease(command.name);
    if (slot != kNoSlot) {
        const LeaseRow row = image_.lease(slot);
        const bool own = row.holder == head.node && row.holder_epoch == command.holder_epoch.value();
        if (!own && row.deadline > image_.header().cluster_time) {
            counters_->add(Counter::leases_refused);
            return {Status::lease_held, row.holder, row.deadline - image_.header().cluster_time};
        }
    } else {
        slot = find_lease({});
        if (slot == kNoSlot) {
            counters_->add(Counter::ledger_full);
            return {.status = Status::ledger_full};
        }
    }
    LeaseRow row{};
    row.token = image_.header().applied_index;
    row.ttl_us = static_cast<std::uint32_t>(to_us(command.ttl));
    row.deadline = image_.header().cluster_time + row.ttl_us;
    row.holder_epoch = command.holder_epoch.value();
    row.holder = head.node;
    row.name = row_name(command.name);
    mix_row(slot, image_.store(slot, row));
    counters_->add(Counter::leases_granted);
    return {Status::ok, slot, row.token};
}

CommandResult Ledger::run_release(const CommandHead& head, const ReleaseCommand& command) {
    const std::uint16_t slot = find_lease(command.name);
    if (slot == kNoSlot) return {.status = Status::lease_lost};
    const LeaseRow row = image_.lease(slot);
    if (row.token != command.token.value() || row.holder != head.node) return {.status = Status::lease_lost};
    free_lease(slot);
    counters_->add(Counter::leases_released);
    return {};
}

CommandResult Ledger::run_put(const PutCommand& command) {
    if (command.value.size() > image_.limits().value_bytes) return {.status = Status::too_large};
    std::uint16_t slot = find_key(command.key);
    if (slot == kNoSlot) slot = find_key({});
    if (slot == kNoSlot) {
        counters_->add(Counter::ledger_full);
        return {.status = Status::ledger_full};
    }
    KeyRow row{};
    row.revision = image_.header().applied_index;
    row.value_length = static_cast<std::uint16_t>(command.value.size());
    row.name = row_name(command.key);
    mix_row(slot, image_.store(slot, row, command.value));
    return {.value = row.revision};
}

// ---- The image --------------------------------------------------------------------------------------------------

std::span<const std::byte> Ledger::image() {
    image_.seal();
    return image_.bytes();
}

Status Ledger::install(std::span<const std::byte> image) {
    const Status verdict = verify_image(image, image_.limits(), known_level_);
    if (verdict == Status::invalid_argument) status_ = verdict;
    if (verdict != Status::ok) return verdict;
    image_.assign(image);
    status_ = Status::ok;
    return Status::ok;
}

void Ledger::mix(std::span<const std::byte> bytes) { image_.header().state_hash = fnv1a64(bytes, image_.header().state_hash); }

void Ledger::mix_row(std::size_t slot, std::span<const std::byte> row) {
    const std::uint32_t where = static_cast<std::uint32_t>(slot);
    mix(std::as_bytes(std::span(&where, 1)));
    mix(row);
}

// ---- Looking up ---------------------------------------------------------------------------------------------------

std::uint16_t Ledger::next_to_expire() const {
    std::uint16_t first = kNoSlot;
    std::uint64_t earliest = 0;
    for (std::uint16_t slot = 0; slot < image_.limits().leases; ++slot) {
        const LeaseRow row = image_.lease(slot);
        if (row.token == 0 || (first != kNoSlot && row.deadline >= earliest)) continue;
        first = slot;
        earliest = row.deadline;
    }
    return first;
}

std::optional<ClusterTime> Ledger::next_expiry() const {
    const std::uint16_t slot = next_to_expire();
    if (slot == kNoSlot) return std::nullopt;
    return ClusterTime{image_.lease(slot).deadline};
}

}  // namespace dunlin::ledger
