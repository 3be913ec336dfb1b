#include <dunlin/node/node.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/division.hpp>
#include <dunlin/node/entry_guard.hpp>
#include <dunlin/resilience/error_class.hpp>

#include <algorithm>
#include <array>

namespace dunlin {
namespace {

// An entry fits the packets of every voter: they have the same limits, so none has shorter packets than this.
consensus::ConsensusOptions consensus_options(const Options& options, std::uint16_t packet_bytes_min) {
    consensus::ConsensusOptions result;
    result.self = options.id;
    result.heartbeat_interval = options.raft_heartbeat;
    result.election_timeout_min = options.election_timeout_min;
    result.election_timeout_max = options.election_timeout_max;
    result.election_rank = options.election_rank;
    result.entry_bytes_max =
        static_cast<std::uint16_t>(std::min<std::size_t>(result.entry_bytes_max, consensus::longest_entry(packet_bytes_min)));
    return result;
}

ledger::ClientOptions client_options(const Options& options) {
    ledger::ClientOptions result;
    result.request_timeout = options.request_timeout;
    result.quorum_wait = options.election_timeout_max;
    return result;
}

link::LinkSelf link_self(const Options& options, bool voter) {
    link::LinkSelf self;
    self.instance = options.instance;
    self.cluster_name = options.cluster;
    self.idle_timeout = options.session_idle_timeout;
    self.epoch = BootEpoch{1};
    self.id = options.id;
    self.packet_bytes_max = options.packet_bytes_max;
    self.attempts_max = options.attempts_max;
    self.journalled = options.journal_bytes != 0;
    self.voter = voter;
    return self;
}

bus::KeyTimes key_times(const Options& options) {
    return {.lifetime_max_ms = static_cast<std::uint32_t>(whole_ms_up(options.key_lifetime_max)),
            .packet_age_max_ms = static_cast<std::uint32_t>(whole_ms_up(options.packet_age_max)),
            .clock_rate_bound_ppm = options.clock_rate_bound_ppm};
}

ledger::LeaseHolderOptions holder_options(const Options& options) {
    ledger::LeaseHolderOptions result;
    result.clock_rate_bound_ppm = options.clock_rate_bound_ppm;
    result.guard = options.lease_guard;
    return result;
}

}  // namespace

Node::Node(const NodeStorage& storage, const Options& options)
    : random_(options.seed),
      events_(storage.events, counters_),
      journal_(storage.journal, counters_, options.journal_geometry),
      self_(link_self(options, static_cast<bool>(storage.make_coordinator))),
      outbox_(storage.outbox),
      inbox_(storage.inbox),
      peers_(storage.peers),
      shared_{self_, outbox_, inbox_, counters_, random_, events_, sink_},
      links_(storage.make_links(shared_)),
      bus_(storage.bus, {.outbox = outbox_,
                         .links = {[](void* node, PeerIndex peer) {
                                       auto& self = *static_cast<Node*>(node);
                                       self.peers_.ask_again(peer);  // such as by a publish
                                       return self.link_in_use(peer);
                                   },
                                   this},
                         .assign_peer = {[](void* node, NodeId id) {
                                             auto& self = *static_cast<Node*>(node);
                                             return self.ensure_peer(self.last_now_, id, SlotUse::none);
                                         },
                                         this},
                         .journal = options.journal_bytes != 0 ? &journal_ : nullptr,
                         .counters = counters_,
                         .events = events_,
                         .random = random_,
                         .message_bytes_max = storage.message_bytes_max,
                         .key_times = key_times(options)}),
      detector_(storage.watched, options.heartbeat_interval, counters_, events_),
      client_(storage.client, client_options(options), counters_, random_, events_),
      leases_(storage.leases, holder_options(options), client_, counters_, random_, events_),
      seeds_(options.seeds),
      journal_bytes_(options.journal_bytes) {
    status_ = validate(options, storage.packet_bytes_min);
    if (journal_bytes_ != 0 && journal_bytes_ < storage.journal_need.device_bytes(options.journal_geometry)) status_ = Status::device_full;
    DUNLIN_ASSERT(links_.size() == peers_.capacity());
    sink_ = bus_.sink();
    if (storage.make_coordinator) {
        coordinator_ = storage.make_coordinator(
            {consensus_options(options, storage.packet_bytes_min), options.clock_rate_bound_ppm, journal_, counters_, random_, events_});
    }
}

// ---- Life -----------------------------------------------------------------------------------------------------------

Status Node::start(Instant now) {
    const EntryGuard guard(inside_);
    DUNLIN_ASSERT(state_ == RunState::created);
    if (status_ != Status::ok) return status_;
    last_now_ = now;
    if (journal_bytes_ == 0) {
        become_ready(now);
        return Status::ok;
    }
    state_ = RunState::recovering;
    journal_.open(journal_bytes_);
    if (journal_.state() == journal::State::failed) fail(journal_.status());
    return Status::ok;
}

void Node::become_ready(Instant now) {
    state_ = RunState::ready;
    leases_.start(self_.epoch);
    bus_.start(now, self_.journalled && self_.epoch == BootEpoch{1});
    // Nobody may be there who dials this node.
    if (!seeds_.empty() && !peers_.any_free()) static_cast<void>(make_room(now, SlotUse::settled));
    if (coordinator_ != nullptr) coordinator_->start(now, self_.storage);
    Event event;
    event.kind = EventKind::started;
    event.node = self_.id;
    event.value = self_.epoch.value();
    events_.push(event);
    advance(now);
}

void Node::shutdown(Instant now) {
    const EntryGuard guard(inside_);
    last_now_ = now;
    peers_.ask_all_again();
    if (state_ != RunState::ready) {
        if (state_ != RunState::failed && state_ != RunState::draining) fail(Status::shutting_down);
        return;
    }
    state_ = RunState::draining;
    bus_.stop_delivering();
    leases_.release_all(now);
    if (coordinator_ != nullptr) coordinator_->hand_over(now);
    drain_until_leader_ = now + client_.options().quorum_wait;
    advance(now);
}

// Goodbye comes last: it ends what others owe to this node, and what it still hears of them. What a handler here took must be
// known to the publisher before, or it would count as lost.
bool Node::may_say_goodbye(Instant now) const {
    if (outbox_.messages_used() != 0 || !leases_.idle()) return false;
    if (coordinator_ != nullptr && now < drain_until_leader_) {
        StatusReport report;
        coordinator_->report(now, report);
        if (report.role == consensus::Role::leader) return false;
    }
    for (std::size_t i = 0; i < links_.size(); ++i) {
        if (peers_.in_use(PeerIndex{static_cast<std::uint16_t>(i)}) && !links_[i].may_close()) return false;
    }
    return true;
}

void Node::continue_shutdown(Instant now) {
    if (state_ != RunState::draining || said_goodbye_ || !may_say_goodbye(now)) return;
    said_goodbye_ = true;
    for (std::size_t i = 0; i < links_.size(); ++i) {
        if (peers_.in_use(PeerIndex{static_cast<std::uint16_t>(i)})) links_[i].close();
    }
}

bool Node::drained() const {
    if (state_ == RunState::failed) return true;
    if (!said_goodbye_) return false;
    for (const link::Link& each : links_) {
        if (each.session_open()) return false;
    }
    return true;
}

// What every input ends with: everything that follows from it within this node.
void Node::advance(Instant now) {
    if (state_ != RunState::ready && state_ != RunState::draining) return;
    if (coordinator_ != nullptr) {
        coordinator_->advance(now);
        loop_back(now);
        take_members(now);
    }
    if (!seeds_.empty() && peers_.any_free()) dial_seeds(now);
    leases_.take_results(now);
    take_fence_floors(now);
    read_fence_floors(now);
    continue_shutdown(now);
}

// A voter is also its own client: what it owes to itself goes through the same records as anybody's.
void Node::loop_back(Instant now) {
    constexpr std::size_t kBytes = 1280;
    static_assert(kBytes >= wire::kHeaderBytes + wire::kRecordHeadBytes + sizeof(wire::VoterSet) + kVotersMax * sizeof(wire::VoterEntry));
    static_assert(kBytes >= wire::kHeaderBytes + wire::kRecordHeadBytes + sizeof(wire::Command) + ledger::kPutBytesMax);
    constexpr int kRoundsMax = 8;  // a question and its answer take two; what is left goes on with the next input
    const NodeId self = self_.id;
    for (int round = 0; round < kRoundsMax; ++round) {
        if (!client_.wants_to_send(self) && !leases_.wants_to_send(self) && !coordinator_->wants_to_send(self)) return;
        std::array<std::byte, kBytes> buffer;
        wire::PacketWriter writer(buffer);
        client_.write_records(now, self, writer);
        leases_.write_records(now, self, writer);
        coordinator_->write_records(now, self, writer);
        if (writer.empty()) return;
        const wire::PacketHeader header(0, 0, 0, 0, self_.cluster.value(), self.value(), self.value(), self_.epoch.value(), 0, 0);
        const std::size_t bytes = writer.finish(header);
        auto reader = wire::PacketReader::open(std::span(buffer).first(bytes), counters_);
        DUNLIN_ASSERT(reader.has_value());
        for (wire::Record record; reader->next(record);) {
            if (coordinator_->on_record(now, {self, self_.storage}, record)) continue;
            if (client_.on_record(now, self, record)) continue;
            static_cast<void>(leases_.on_record(now, self, record));
        }
        coordinator_->advance(now);
        leases_.take_results(now);
    }
}

void Node::on_timeout(Instant now) {
    const EntryGuard guard(inside_);
    last_now_ = now;
    peers_.ask_all_again();
    if (state_ != RunState::ready && state_ != RunState::draining) return;
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        if (!peers_.in_use(peer)) continue;
        links_[i].on_timeout(now);
        take_news(now, peer);
    }
    detector_.on_timeout(now);
    client_.on_timeout(now);
    leases_.on_timeout(now);
    bus_.on_timeout(now);
    if (coordinator_ != nullptr) coordinator_->on_timeout(now);
    end_patience(now);
    advance(now);
}

Instant Node::next_deadline() const {
    if (state_ != RunState::ready && state_ != RunState::draining) return kNever;
    Instant deadline = detector_.next_deadline();
    if (state_ == RunState::ready) deadline = earlier(deadline, peers_.next_deadline());  // poll_connect() gives nothing afterwards
    deadline = earlier(deadline, client_.next_deadline());
    deadline = earlier(deadline, leases_.next_deadline());
    deadline = earlier(deadline, bus_.next_deadline());
    bool whole = true;  // all that comes to be due by itself is in it
    for (std::size_t i = 0; i < links_.size(); ++i) {
        const PeerIndex peer{static_cast<std::uint16_t>(i)};
        if (!peers_.in_use(peer)) continue;
        deadline = earlier(deadline, links_[i].next_deadline());
        whole = whole && links_[i].has_deadline();
    }
    if (coordinator_ != nullptr) deadline = earlier(deadline, coordinator_->next_deadline());
    if (state_ == RunState::draining && !said_goodbye_) {
        // An outcome that was polled may have been the last thing to wait for.
        if (may_say_goodbye(last_now_)) return last_now_;
        if (last_now_ < drain_until_leader_) deadline = earlier(deadline, drain_until_leader_);
    }
    deadline = earlier(deadline, patience_deadline());
    if (whole && !peers_.all_to_be_asked()) nothing_until_ = deadline;
    return deadline;
}

// ---- Events -----------------------------------------------------------------------------------------------------------

std::optional<Event> Node::poll_event() {
    const EntryGuard guard(inside_);
    Event event;
    if (bus_.poll_outcome(event)) return event;
    if (ledger::RequestResult result; client_.poll_result(ledger::Requester::application, result)) {
        event.kind = EventKind::request_done;
        event.request = result.request;
        event.status = result.status;
        event.effect = result.effect;
        event.value = result.value;
        event.detail = result.detail;
        last_value_of_ = result.request;
        last_value_ = result.bytes;
        return event;
    }
    last_value_of_ = RequestId{};
    event = events_.pop();
    if (event.kind == EventKind::none) return std::nullopt;
    return event;
}

std::span<const std::byte> Node::value_of(RequestId request) const {
    return request == last_value_of_ ? last_value_ : std::span<const std::byte>{};
}

// ---- Bus --------------------------------------------------------------------------------------------------------------

Status Node::may_publish() const {
    switch (state_) {
        case RunState::ready: return Status::ok;
        case RunState::created:
        case RunState::recovering: return Status::recovering;
        case RunState::draining:
        case RunState::failed: break;
    }
    return Status::shutting_down;
}

Status Node::may_ask() {
    peers_.ask_all_again();
    return may_publish();
}

Result<bus::Published> Node::publish(Instant now, const bus::PublishOptions& options) {
    if (const Status status = may_publish(); status != Status::ok) return status;
    return bus_.publish(now, options);
}

Result<bus::Published> Node::publish_in_place(Instant now, const bus::PublishOptions& options, std::size_t bytes,
                                              const link::PayloadWriter& write) {
    if (const Status status = may_publish(); status != Status::ok) return status;
    return bus_.publish_in_place(now, options, bytes, write);
}

Result<SubscriptionId> Node::subscribe(std::string_view filter, bus::Handler handler, const bus::SubscribeOptions& options) {
    peers_.ask_all_again();
    return bus_.subscribe(filter, handler, options);
}

Status Node::unsubscribe(SubscriptionId subscription) {
    peers_.ask_all_again();
    return bus_.unsubscribe(subscription);
}

Status Node::complete(Instant now, const bus::CompletionId& completion, bus::Verdict verdict) {
    peers_.ask_all_again();
    return bus_.complete(now, completion, verdict);
}

std::uint16_t Node::subscriber_count(std::string_view topic) const { return bus_.subscriber_count(topic); }

Status Node::drain(Instant now, Mailbox& mailbox) {
    for (Mailbox::Message message; mailbox.peek(message); mailbox.pop()) {
        bus::PublishOptions options;
        options.topic = message.topic;
        options.payload = message.payload;
        const Status status = publish(now, options).status();
        if (resilience::worth_retrying(resilience::classify(status))) return status;
        if (status != Status::ok) counters_.add(Counter::mailbox_refused);
    }
    return Status::ok;
}

void Node::store_receive_position(std::uint64_t position) {
    bus_.set_receive_position(position);
    position_to_store_ = true;
}

std::uint64_t Node::publish_position() const { return bus_.publish_position(); }
std::uint64_t Node::receive_position() const { return bus_.receive_position(); }

// ---- Coordination -----------------------------------------------------------------------------------------------------

Result<RequestId> Node::put(Instant now, std::string_view key, std::span<const std::byte> value) {
    if (const Status status = may_ask(); status != Status::ok) return status;
    return client_.put(now, key, value);
}

Result<RequestId> Node::get(Instant now, std::string_view key) {
    if (const Status status = may_ask(); status != Status::ok) return status;
    return client_.get(now, key);
}

ledger::MemberRow Node::member(std::size_t slot) const {
    return coordinator_ != nullptr ? coordinator_->member(slot) : ledger::MemberRow{};
}

Result<RequestId> Node::change_member(Instant now, const ledger::MemberCommand& command) {
    if (const Status status = may_ask(); status != Status::ok) return status;
    return client_.change_member(now, command);
}

Result<RequestId> Node::transfer_leadership(Instant now, NodeId to) {
    if (const Status status = may_ask(); status != Status::ok) return status;
    return client_.transfer(now, to);
}

Result<ledger::LeaseHandle> Node::acquire_lease(Instant now, std::string_view name, Duration ttl) {
    if (const Status status = may_ask(); status != Status::ok) return status;
    return leases_.acquire(now, name, ttl);
}

void Node::release_lease(Instant now, ledger::LeaseHandle handle) {
    peers_.ask_all_again();
    leases_.release(now, handle);
}

ledger::LeaseView Node::lease(ledger::LeaseHandle handle) const { return leases_.view(handle); }

// A floor that no journal has kept is read from the ledger before its subscriptions get anything.
void Node::read_fence_floors(Instant now) {
    if (floor_read_ != RequestId{}) return;
    const auto lease = bus_.needs_floor_read();
    if (!lease) return;
    const auto request = client_.read_lease(now, *lease, ledger::Requester::fences);
    if (!request.ok()) return;
    floor_read_ = request.value();
    floor_read_lease_ = ledger::lease_key(*lease);
}

void Node::take_fence_floors(Instant now) {
    if (floor_read_ == RequestId{}) return;
    for (ledger::RequestResult result; client_.poll_result(ledger::Requester::fences, result);) {
        floor_read_ = RequestId{};
        // Where nobody holds the lease, every token up to the index that was read at is dead.
        if (result.status == Status::ok) bus_.floor_known(now, floor_read_lease_, Token{result.value});
        if (result.status == Status::not_found) bus_.floor_known(now, floor_read_lease_, Token{result.value + 1});
    }
}

// ---- Introspection ----------------------------------------------------------------------------------------------------

StatusReport Node::status(Instant now) const {
    StatusReport report;
    report.id = self_.id;
    report.state = state_;
    report.epoch = self_.epoch;
    report.cluster = self_.cluster;
    report.storage = self_.storage;
    if (coordinator_ != nullptr) coordinator_->report(now, report);
    for (std::size_t i = 0; i < links_.size(); ++i) {
        if (!peers_.in_use(PeerIndex{static_cast<std::uint16_t>(i)})) continue;
        if (links_[i].session_open()) ++report.sessions_open;
    }
    report.outbox_messages = static_cast<std::uint16_t>(outbox_.messages_used());
    report.outbox_bytes_free = static_cast<std::uint32_t>(outbox_.free_bytes());
    report.inbox_messages = static_cast<std::uint16_t>(inbox_.used());
    report.leases_held = leases_.held(now);
    return report;
}

std::optional<PeerReport> Node::peer(Instant now, std::size_t i) const {
    for (std::size_t slot = 0; slot < links_.size(); ++slot) {
        const PeerIndex peer{static_cast<std::uint16_t>(slot)};
        if (!peers_.in_use(peer) || i-- != 0) continue;
        const link::Link& each = links_[slot];
        PeerReport report;
        report.id = peers_[peer].node;
        report.health = detector_.health(peer);
        report.session_open = each.session_open();
        report.voter = each.peer_is_voter();
        report.left = peers_[peer].said_goodbye;
        report.epoch = each.peer_epoch();
        report.rtt = each.rtt();
        report.silence = report.health == membership::Health::unknown ? Duration{} : now - detector_.last_heard(peer);
        report.packets_lost = each.packets_lost();
        report.packet_bytes = each.packet_bytes();
        report.circuit = client_.circuit(report.id);
        for (const link::LaneEnds& lane : each.lanes())
            report.messages_unsettled = static_cast<std::uint16_t>(report.messages_unsettled + lane.sender.unsettled());
        return report;
    }
    return std::nullopt;
}

}  // namespace dunlin
