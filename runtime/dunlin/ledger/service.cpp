#include <dunlin/core/assert.hpp>
#include <dunlin/ledger/service.hpp>

#include <algorithm>
#include <array>

namespace dunlin::ledger {

Service::Service(const ServiceStorage& storage, const ServiceOptions& options, Ledger& ledger, const LogPort& log, Counters& counters)
    : calls_(storage.calls),
      renewals_(storage.renewals),
      bitmap_(storage.bitmap),
      options_(options),
      ledger_(&ledger),
      log_(log),
      counters_(&counters) {
    DUNLIN_ASSERT(calls_.size() > kServiceRefusals);
    DUNLIN_ASSERT(renewals_.size() == ledger.limits().leases);
    DUNLIN_ASSERT(bitmap_.size() == renewal_bitmap_bytes(ledger.limits()));
}

// ---- Records --------------------------------------------------------------------------------------------------------

bool Service::on_record(Instant now, NodeId from, const wire::Record& record) {
    switch (record.type) {
        case wire::RecordType::command:
            poll(now);
            on_command(now, from, record);
            return true;
        case wire::RecordType::renew:
            poll(now);
            on_renew(now, from, record.as<wire::Renew>());
            return true;
        case wire::RecordType::read:
            poll(now);
            on_read(from, record);
            return true;
        default: return false;
    }
}

void Service::on_command(Instant now, NodeId from, const wire::Record& record) {
    const wire::Command command = record.as<wire::Command>();
    ServiceCall wanted{};
    wanted.reply = wire::RecordType::command_reply;
    wanted.session = command.session();
    wanted.sequence = command.sequence();
    wanted.attempt = command.attempt();
    wanted.type = static_cast<CommandType>(command.type());
    wanted.peer = from;
    Status status = !leading_ ? Status::not_leader : validate_command(wanted.type, record.bytes);
    if (status == Status::ok && wanted.session == 0) status = Status::invalid_argument;
    if (status == Status::ok) status = take_command(now, wanted, record.bytes);
    if (status != Status::ok) refuse(wanted, status);
}

// A command that is already under way here is answered once, under its latest attempt.
Status Service::take_command(Instant now, const ServiceCall& wanted, std::span<const std::byte> body) {
    ServiceCall* call = find_same(wanted);
    if (call != nullptr) {
        call->attempt = wanted.attempt;
        return Status::ok;
    }
    call = take_slot(wanted, kServiceRefusals);
    if (call == nullptr) return Status::busy;
    if (wanted.type == CommandType::transfer) return transfer(now, *call, body);
    if (answered_before(*call)) {
        counters_->add(Counter::commands_repeated);
        return Status::ok;
    }
    const Result<LogIndex> index = propose(now, *call, body);
    call->taken = index.ok();
    if (!index.ok()) return index.status();
    call->index = index.value().value();
    return Status::ok;
}

Result<LogIndex> Service::propose(Instant now, const ServiceCall& call, std::span<const std::byte> body) {
    CommandHead head{};
    head.session = call.session;
    head.sequence = call.sequence;
    head.node = call.peer.value();
    head.type = static_cast<std::uint8_t>(call.type);
    if (call.type == CommandType::member) return propose_change(now, head, body);
    return log_.propose(now, consensus::EntryType::command, bytes_of(head), body);
}

// As the rows are now: every committed change is in them, else the log is busy.
Result<LogIndex> Service::propose_change(Instant now, const CommandHead& head, std::span<const std::byte> body) {
    if (!up_to_date()) return Status::busy;
    const std::uint16_t session = ledger_->find_session(SessionId{head.session});
    if (session == kNoSlot || ledger_->session(session).node != head.node) return Status::session_evicted;
    MemberCommand command{};
    const Status sound = decode(body, command);
    DUNLIN_ASSERT(sound == Status::ok);  // validate_command
    if (static_cast<consensus::ChangeOp>(command.change.op) != consensus::ChangeOp::add_learner) {
        const std::uint16_t slot = ledger_->find_member(NodeId{command.change.node});
        const std::uint64_t storage = slot != kNoSlot ? ledger_->member(slot).storage : 0;
        if (storage == 0 || (command.change.storage != 0 && command.change.storage != storage)) return Status::not_found;
        command.change.storage = storage;
    }
    std::array<std::byte, sizeof head + kAddressBytesMax> rest;
    const auto end = std::ranges::copy(command.address, std::ranges::copy(bytes_of(head), rest.begin()).out).out;
    return log_.propose_change(now, command.change, {rest.begin(), end});
}

Status Service::transfer(Instant now, ServiceCall& call, std::span<const std::byte> body) {
    const NodeId to{wire::load<TransferCommand>(body).node};
    if (to == log_.leader()) {
        answer(call, Status::ok);
        return Status::ok;
    }
    call.taken = false;
    const std::uint16_t slot = ledger_->find_member(to);
    if (slot == kNoSlot || ledger_->member(slot).flags != kMemberVoter) return Status::not_found;
    static_cast<void>(log_.hand_over(now, to));
    return Status::busy;
}

// What a record repeats: of a command the session and sequence, of a read the call, whatever its attempt.
ServiceCall* Service::find_same(const ServiceCall& wanted) {
    for (ServiceCall& call : calls_) {
        if (!call.taken || call.reply != wanted.reply || call.peer != wanted.peer) continue;
        const bool read = call.reply == wire::RecordType::read_reply;
        const unsigned ignored_bits = read ? 32 : 0;
        if ((read || call.session == wanted.session) && call.sequence >> ignored_bits == wanted.sequence >> ignored_bits) return &call;
    }
    return nullptr;
}

// A free row with `wanted` in it, such that `spare` others are left; or one whose answer nobody has come for: its client may
// be gone, and otherwise asks again. nullptr: every row is in use.
ServiceCall* Service::take_slot(const ServiceCall& wanted, std::size_t spare) {
    ServiceCall* found = nullptr;
    std::size_t in_use = 0;
    for (ServiceCall& call : calls_) {
        if (call.taken && !call.answered) ++in_use;
        if (!call.taken || (call.answered && found == nullptr)) found = &call;
    }
    if (found == nullptr || in_use + spare >= calls_.size()) return nullptr;
    *found = wanted;
    found->taken = true;
    return found;
}

// Whether this replica has applied the command already; what is applied is committed, so the answer stands.
bool Service::answered_before(ServiceCall& call) {
    const std::uint16_t slot = ledger_->find_session(SessionId{call.session});
    if (slot == kNoSlot) return false;
    const SessionRow row = ledger_->session(slot);
    if (row.node != call.peer.value()) return false;
    if (call.type != CommandType::open_session) {
        if (call.sequence > row.sequence) return false;
        const bool last = call.sequence == row.sequence && call.sequence != 0;
        call.status = last ? static_cast<Status>(row.status) : Status::stale_sequence;
        call.value = last ? row.value : 0;
        call.detail = row.detail;
    }
    call.answered = true;
    owe(call.peer);
    return true;
}

void Service::on_read(NodeId from, const wire::Record& record) {
    const wire::Read read = record.as<wire::Read>();
    ServiceCall wanted{};
    wanted.reply = wire::RecordType::read_reply;
    wanted.sequence = read.request();
    wanted.read = static_cast<ReadKind>(read.kind());
    wanted.peer = from;
    if (wanted.read == ReadKind::voters) {
        owe_voters(from);
        return;
    }
    const std::span<const std::byte> name = record.bytes;
    const bool known = wanted.read == ReadKind::key || wanted.read == ReadKind::lease;
    Status status = known && !name.empty() ? Status::ok : Status::invalid_argument;
    if (name.size() > kKeyNameBytesMax) status = Status::too_large;
    if (status == Status::ok) {
        wanted.name = row_name({reinterpret_cast<const char*>(name.data()), name.size()});
        status = leading_ ? take_read(wanted) : Status::not_leader;
    }
    if (status != Status::ok) refuse(wanted, status);
}

// A repeated read takes the row of the one before it, and a fresh ticket: what was confirmed for that says nothing about this.
Status Service::take_read(const ServiceCall& wanted) {
    const Result<consensus::ReadTicket> ticket = log_.begin_read();
    if (!ticket.ok()) return ticket.status();
    ServiceCall* call = find_same(wanted);
    if (call != nullptr) {
        *call = wanted;
        call->taken = true;
    } else {
        call = take_slot(wanted, kServiceRefusals);
    }
    if (call == nullptr) return Status::busy;
    call->set_ticket(ticket.value());
    reading_ = true;
    return Status::ok;
}

void Service::on_renew(Instant now, NodeId from, const wire::Renew& renew) {
    if (renew.slot() >= renewals_.size() || renew.token() == 0) {
        counters_->add(Counter::records_malformed);
        return;
    }
    const bool lost = leading_ && up_to_date() && !holds(from, renew.slot(), renew.token());
    if (!leading_ || lost) {
        counters_->add(Counter::renewals_refused);
        ServiceCall wanted{};
        wanted.reply = wire::RecordType::renew_reply;
        wanted.session = renew.token();
        wanted.sequence = renew.request();
        wanted.peer = from;
        refuse(wanted, lost ? Status::lease_lost : Status::not_leader);
        return;
    }
    ServiceRenewal& renewal = renewals_[renew.slot()];
    const bool under_way = renewal.state == ServiceRenewal::State::collected || renewal.state == ServiceRenewal::State::proposed;
    if (under_way && renewal.token == renew.token() && renewal.request == renew.request() && renewal.peer == from) return;
    if (under_way && renewal.token > renew.token()) return;
    renewal = {renew.request(), renew.token(), 0, from, ServiceRenewal::State::collected, Status::ok};
    flush_at_ = earlier(flush_at_, now + options_.renewal_interval);
}

// An entry of this leader's own term was applied, so everything committed before it was, too.
bool Service::up_to_date() const { return ledger_->applied_term().value() == term_; }

bool Service::holds(NodeId node, std::uint16_t slot, std::uint64_t token) const {
    const LeaseRow row = ledger_->lease(slot);
    return row.token == token && row.holder == node.value();
}

void Service::refuse(const ServiceCall& wanted, Status status) {
    counters_->add(Counter::proposals_refused);
    ServiceCall* call = take_slot(wanted, 0);
    if (call != nullptr) answer(*call, status);  // else its client asks again
}

void Service::on_session_open(NodeId peer) {
    for (ServiceCall& call : calls_) {
        if (call.peer == peer && call.reply == wire::RecordType::read_reply) call = ServiceCall{};
    }
    owe_voters(peer);
}

void Service::owe_voters(NodeId peer) {
    for (NodeId& owed : voter_set_owed_) {
        if (owed == peer) return;
    }
    NodeId* place = &voter_set_owed_[voter_set_next_ % voter_set_owed_.size()];  // it may be gone; else it asks again
    for (NodeId& owed : voter_set_owed_) {
        if (owed == NodeId{}) place = &owed;
    }
    *place = peer;
    ++voter_set_next_;
    owe(peer);
}

// ---- The log --------------------------------------------------------------------------------------------------------

void Service::poll(Instant now) {
    const bool leads = log_.leading();
    if (leading_ && (!leads || log_.term().value() != term_)) end_leadership();
    if (!leading_ && leads) {
        leading_ = true;
        term_ = log_.term().value();
        schedule_tick(now);
    }
    if (!reading_) return;
    reading_ = false;
    for (ServiceCall& call : calls_) {
        if (!call.taken || call.answered || call.read == ReadKind::none) continue;
        const consensus::ReadState state = log_.read_state(call.ticket());
        if (state != consensus::ReadState::waiting) answer(call, state == consensus::ReadState::ready ? Status::ok : Status::not_leader);
        if (!call.answered) reading_ = true;
    }
}

void Service::end_leadership() {
    leading_ = false;
    for (ServiceCall& call : calls_) {
        if (call.taken && !call.answered) answer(call, Status::not_leader);
    }
    for (ServiceRenewal& renewal : renewals_) {
        if (renewal.state == ServiceRenewal::State::none || renewal.state == ServiceRenewal::State::answered) continue;
        renewal.state = ServiceRenewal::State::answered;
        renewal.status = Status::not_leader;
        owe(renewal.peer);
    }
    flush_at_ = tick_at_ = kNever;
    tick_index_ = 0;
}

void Service::answer(ServiceCall& call, Status status) {
    call.answered = true;
    call.status = status;
    owe(call.peer);
}

void Service::on_applied(Instant now, const consensus::Entry& entry, const ApplyResult& result) {
    poll(now);
    if (!leading_) return;
    const bool own = entry.term.value() == term_;
    if (entry.type == consensus::EntryType::command || entry.type == consensus::EntryType::members) {
        for (ServiceCall& call : calls_) {
            const bool command = call.taken && !call.answered && call.reply == wire::RecordType::command_reply;
            if (!command || call.index != entry.index.value()) continue;
            call.value = result.command.value;
            call.detail = result.command.detail;
            answer(call, own ? result.command.status : Status::not_leader);
        }
    }
    if (entry.type == consensus::EntryType::renewals && own) answer_renewals(entry.index);
    if (tick_index_ != 0 && entry.index.value() >= tick_index_) tick_index_ = 0;
    schedule_tick(now);
}

// What the entry did is read off the table: a slot that it renewed has its whole ttl before it.
void Service::answer_renewals(LogIndex index) {
    for (std::size_t slot = 0; slot < renewals_.size(); ++slot) {
        ServiceRenewal& renewal = renewals_[slot];
        if (renewal.state != ServiceRenewal::State::proposed || renewal.index_low != static_cast<std::uint32_t>(index.value())) continue;
        const LeaseRow row = ledger_->lease(static_cast<std::uint16_t>(slot));
        const bool renewed = row.token == renewal.token && row.deadline == ledger_->cluster_time().value() + row.ttl_us;
        renewal.status = renewed ? Status::ok : Status::lease_lost;
        renewal.state = ServiceRenewal::State::answered;
        owe(renewal.peer);
    }
}

void Service::on_image_installed(Instant now) {
    if (leading_) end_leadership();
    poll(now);
}

void Service::flush_renewals(Instant now) {
    if (!leading_ || flush_at_ == kNever) return;
    if (!up_to_date()) {
        flush_at_ = now + options_.renewal_interval;
        return;
    }
    std::ranges::fill(bitmap_, std::byte{});
    bool any = false;
    for (std::size_t slot = 0; slot < renewals_.size(); ++slot) {
        ServiceRenewal& renewal = renewals_[slot];
        if (renewal.state != ServiceRenewal::State::collected) continue;
        if (!holds(renewal.peer, static_cast<std::uint16_t>(slot), renewal.token)) {
            renewal.state = ServiceRenewal::State::answered;
            owe(renewal.peer);
            renewal.status = Status::lease_lost;
            continue;
        }
        bitmap_[slot / 8] |= static_cast<std::byte>(1u << (slot % 8));
        any = true;
    }
    flush_at_ = kNever;
    if (!any) return;
    const RenewalsHead head{ledger_->applied().value()};
    const Result<LogIndex> index = log_.propose(now, consensus::EntryType::renewals, bytes_of(head), bitmap_);
    if (!index.ok()) {
        flush_at_ = now + options_.renewal_interval;
        return;
    }
    for (ServiceRenewal& renewal : renewals_) {
        if (renewal.state != ServiceRenewal::State::collected) continue;
        renewal.state = ServiceRenewal::State::proposed;
        renewal.index_low = static_cast<std::uint32_t>(index.value().value());
    }
}

// The instant at which the next deadline passes, on this leader's clock.
void Service::schedule_tick(Instant now) {
    const std::optional<ClusterTime> expiry = ledger_->next_expiry();
    tick_at_ = kNever;
    if (!leading_ || tick_index_ != 0 || !expiry.has_value()) return;
    const std::uint64_t time = log_.cluster_time(now).value();
    const std::uint64_t remaining = expiry->value() > time ? expiry->value() - time : 0;
    tick_at_ = now + from_us(static_cast<std::int64_t>(remaining));
}

void Service::propose_tick(Instant now) {
    const Result<LogIndex> index = log_.propose(now, consensus::EntryType::tick, {}, {});
    if (!index.ok()) {
        tick_at_ = now + options_.renewal_interval;
        return;
    }
    counters_->add(Counter::ticks_proposed);
    tick_index_ = index.value().value();
    tick_at_ = kNever;
}

Instant Service::next_deadline() const { return earlier(flush_at_, tick_at_); }

void Service::on_timeout(Instant now) {
    poll(now);
    if (now >= flush_at_) flush_renewals(now);
    if (now >= tick_at_) propose_tick(now);
}

}  // namespace dunlin::ledger
