// The service's output: every answer that is owed to a peer is written once, and then forgotten.
#include <dunlin/ledger/service.hpp>
#include <dunlin/ledger/voter_set_reader.hpp>

#include <algorithm>

namespace dunlin::ledger {

bool Service::wants_to_send(NodeId to) const { return (owed_ & bit_of(to)) != 0 && owes(to); }

bool Service::owes(NodeId to) const {
    const bool voters = ledger_->voters_index() != LogIndex{} && std::ranges::find(voter_set_owed_, to) != voter_set_owed_.end();
    return voters ||
           std::ranges::any_of(calls_, [to](const ServiceCall& call) { return call.taken && call.answered && call.peer == to; }) ||
           std::ranges::any_of(renewals_, [to](const ServiceRenewal& renewal) {
               return renewal.state == ServiceRenewal::State::answered && renewal.peer == to;
           });
}

void Service::write_records(Instant now, NodeId to, wire::PacketWriter& writer) {
    poll(now);
    owed_ = 0;  // and finds out again, of everybody
    for (NodeId& owed : voter_set_owed_) {
        if (owed == to && write_voter_set(writer)) owed = NodeId{};
        if (owed != NodeId{}) owe(owed);
    }
    for (ServiceCall& call : calls_) {
        if (!call.taken || !call.answered) continue;
        if (call.peer == to && write_call(call, writer)) call.taken = false;
        if (call.taken) owe(call.peer);
    }
    for (ServiceRenewal& renewal : renewals_) {
        if (renewal.state != ServiceRenewal::State::answered) continue;
        const bool written = renewal.peer == to && write_renewal(renewal.request, renewal.token, renewal.status, writer);
        if (written) renewal.state = ServiceRenewal::State::none;
        if (!written) owe(renewal.peer);
    }
}

bool Service::write_renewal(std::uint64_t request, std::uint64_t token, Status status, wire::PacketWriter& writer) const {
    const wire::RenewReply reply(request, token, static_cast<std::uint8_t>(status), 0, log_.leader().value(), 0);
    return writer.record(wire::RecordType::renew_reply, reply);
}

bool Service::write_call(const ServiceCall& call, wire::PacketWriter& writer) const {
    if (call.reply == wire::RecordType::read_reply) return write_read_reply(call, writer);
    if (call.reply == wire::RecordType::renew_reply) return write_renewal(call.sequence, call.session, call.status, writer);
    std::uint64_t detail = call.detail;
    if (call.type == CommandType::acquire && call.status == Status::ok) {
        detail = AcquireDetail{call.detail, ledger_->voter_rate_ppm()}.packed();
    }
    const wire::CommandReply reply(call.session, call.sequence, call.value, detail, call.attempt, static_cast<std::uint8_t>(call.status), 0,
                                   log_.leader().value());
    return writer.record(wire::RecordType::command_reply, reply);
}

// The state is read now: it holds everything that the confirmed index asked for, and whatever came since.
bool Service::write_read_reply(const ServiceCall& call, wire::PacketWriter& writer) const {
    Status status = call.status;
    std::uint64_t revision = ledger_->applied().value();
    std::uint64_t detail = 0;
    std::span<const std::byte> value{};
    if (status == Status::ok) {
        const bool key = call.read == ReadKind::key;
        const std::uint16_t slot = key ? ledger_->find_key(text_of(call.name)) : ledger_->find_lease(text_of(call.name));
        if (slot == kNoSlot) {
            status = Status::not_found;
        } else if (key) {
            revision = ledger_->key(slot).revision;
            value = ledger_->value(slot);
        } else {
            const LeaseRow row = ledger_->lease(slot);
            revision = row.token;
            detail = row.holder;
        }
    }
    const auto reply_with = [&](Status verdict) {
        return wire::ReadReply(call.sequence, revision, detail, static_cast<std::uint8_t>(verdict), static_cast<std::uint8_t>(call.read),
                               log_.leader().value(), 0);
    };
    if (writer.record(wire::RecordType::read_reply, reply_with(status), value)) return true;
    return writer.empty() && writer.record(wire::RecordType::read_reply, reply_with(Status::too_large));  // in no packet of this size
}

bool Service::write_voter_set(wire::PacketWriter& writer) const {
    const std::uint64_t index = ledger_->voters_index().value();
    if (index == 0 || !writer.begin(wire::RecordType::voter_set, wire::VoterSet(index, 0, 0))) return false;
    std::uint32_t count = 0;
    for (std::size_t slot = 0; slot < member_rows(ledger_->limits()); ++slot) {
        const MemberRow row = ledger_->member(slot);
        if (row.flags != kMemberVoter) continue;
        const std::span<std::byte> entry = writer.extend(kVoterEntryBytes);
        if (entry.empty()) {
            writer.cancel();
            return false;
        }
        encode_voter(row, entry);
        ++count;
    }
    writer.patch(wire::VoterSet(index, count, 0));
    writer.end();
    return true;
}

}  // namespace dunlin::ledger
