#include <dunlin/bus/bus.hpp>

#include <dunlin/bus/filter.hpp>
#include <dunlin/core/assert.hpp>
#include <dunlin/core/division.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/ledger/lease_key.hpp>

#include <utility>

namespace dunlin::bus {

namespace {

// Stands for any topic that this node has no room to remember: messages under it are rejected, so that they do not stop
// the lane.
constexpr TopicIndex kTopicNotKept{0xfffe};

// A fence's floor that found no room in the journal is written again after this.
constexpr Duration kFenceRetry = milliseconds{10};

static_assert(static_cast<unsigned>(Counter::outcomes_retry_budget) - static_cast<unsigned>(Counter::outcomes_acknowledged) ==
              static_cast<unsigned>(Outcome::retry_budget) - static_cast<unsigned>(Outcome::acknowledged));

bool valid_lease(std::string_view name) { return !name.empty() && name.size() <= kLeaseNameBytesMax; }

link::Disposition disposition(Verdict verdict) {
    switch (verdict) {
        case Verdict::accept: return link::Disposition::accepted;
        case Verdict::retry_later: return link::Disposition::retry_later;
        case Verdict::pending: return link::Disposition::pending;
        case Verdict::reject:
        case Verdict::invalid: break;
    }
    return link::Disposition::rejected;
}

}  // namespace

Bus::Bus(const BusStorage& storage, const BusShared& shared)
    : shared_(shared),
      topics_(storage.topics),
      local_(storage.local),
      remote_(storage.remote),
      advertiser_(shared_, local_),
      fences_(storage.fences, shared.journal, shared.counters),
      keys_(storage.keys, shared_.key_times, shared.journal != nullptr),
      log_(shared_, topics_, storage.scratch) {
    DUNLIN_ASSERT(storage.topics.lengths.size() <= kTopicNotKept.value());
    shared_.peers = storage.peers;
}

link::InboundSink Bus::sink() {
    link::InboundSink sink;
    sink.intern = {[](void* bus, std::string_view topic) { return static_cast<Bus*>(bus)->intern(topic); }, this};
    sink.topic_name = {[](void* bus, TopicIndex topic) { return static_cast<Bus*>(bus)->topics_.name(topic); }, this};
    sink.deliver = {[](void* bus, const link::InboundMessage& message) { return static_cast<Bus*>(bus)->deliver(message); }, this};
    return sink;
}

// ---- Publishing -------------------------------------------------------------------------------------------------------

// Without a lifetime it could never be forgotten.
bool Bus::valid_key(const PublishOptions& options) const {
    const bool may_end = options.lifetime > Duration{} && options.lifetime <= milliseconds{shared_.key_times.lifetime_max_ms};
    return may_end && *options.key != IdempotencyKey{};
}

Status Bus::check(const PublishOptions& options) const {
    if (options.lifetime < Duration{}) return Status::invalid_argument;
    if (options.key && !valid_key(options)) return Status::invalid_argument;
    if (options.fence && (options.fence->token == Token{} || !valid_lease(options.fence->lease))) return Status::invalid_argument;
    return Status::ok;
}

Result<Published> Bus::publish(Instant now, const PublishOptions& options) {
    link::OutboxPut put{.payload = options.payload};
    return publish(now, options, put, options.payload.size());
}

Result<Published> Bus::publish_in_place(Instant now, const PublishOptions& options, std::size_t bytes, const link::PayloadWriter& write) {
    link::OutboxPut put{.write_bytes = bytes, .write = write};
    return publish(now, options, put, bytes);
}

Result<Published> Bus::publish(Instant now, const PublishOptions& options, link::OutboxPut& put, std::size_t bytes) {
    Published published{};
    const Status status = bytes > shared_.message_bytes_max ? Status::too_large : accept(now, options, put, published);
    if (status == Status::no_subscriber) shared_.counters.add(Counter::publish_no_subscriber);
    if (status == Status::table_full) shared_.counters.add(Counter::topic_table_full);
    if (status == Status::outbox_full) shared_.counters.add(Counter::publish_outbox_full);
    if (status == Status::device_full) return Status::busy;
    if (status != Status::ok) return status;
    if (options.position) publish_position_ = *options.position;
    shared_.counters.add(Counter::published);
    return published;
}

Status Bus::accept(Instant now, const PublishOptions& options, link::OutboxPut& put, Published& published) {
    put.topic = topics_.find(options.topic);
    if (put.topic == kNoTopic && !valid_topic(options.topic, topics_.bytes_max())) return Status::invalid_topic;
    if (const Status status = check(options); status != Status::ok) return status;
    const std::size_t first = remote_.next_match(0, options.topic);
    if (first == remote_.rows().size()) return Status::no_subscriber;
    if (options.only_if_reachable && !all_reachable(options.topic, first)) return Status::peer_unreachable;
    if (put.topic == kNoTopic) put.topic = topics_.intern(options.topic);
    if (put.topic == kNoTopic) return Status::table_full;
    if (options.lifetime > Duration{}) put.expires = saturating_add(now, options.lifetime);
    if (options.fence) {
        put.blocks.fenced = true;
        put.blocks.lease = ledger::lease_key(options.fence->lease);
        put.blocks.token = options.fence->token;
    }
    if (options.key) {
        put.blocks.keyed = true;
        put.blocks.key = *options.key;
        put.blocks.key_lifetime_ms = static_cast<std::uint32_t>(whole_ms_up(options.lifetime));
    }
    const std::size_t lanes = shared_.links(remote_.rows()[first].peer)->lane_count();
    const Lane lane = index_of(options.lane) < lanes ? options.lane : Lane::normal;
    if (!shared_.outbox.leaves_room(lane, lanes)) return Status::outbox_full;
    const Result<std::uint16_t> stored = shared_.outbox.put(put);
    if (!stored.ok()) return stored.status();
    const std::uint16_t message = stored.value();
    published.id = log_.message_at(message).id;
    Status status = send_to_all(now, message, lane, options.topic, first, published);
    if (status == Status::ok) status = log_.append(now, message, options);
    if (status != Status::ok) undo(message);
    return status;
}

bool Bus::all_reachable(std::string_view topic, std::size_t row) const {
    const std::span<const RemoteSubscription> rows = remote_.rows();
    while (row < rows.size() && shared_.links(rows[row].peer)->session_open()) row = remote_.next_match(row + 1, topic);
    return row >= rows.size();
}

// `row`: of the first that matches.
Status Bus::send_to_all(Instant now, std::uint16_t message, Lane lane, std::string_view topic, std::size_t row, Published& published) {
    const std::span<RemoteSubscription> rows = remote_.rows();
    for (; row < rows.size(); row = remote_.next_match(row + 1, topic)) {
        const RemoteSubscription& to = rows[row];
        const Result<std::uint16_t> delivery = shared_.outbox.add_delivery(message, to.peer, to.node, to.id);
        if (!delivery.ok()) return Status::outbox_full;
        link::Link* const link = shared_.links(to.peer);
        DUNLIN_ASSERT(link != nullptr);
        if (link->sender(link->lane_towards(lane)).enqueue(now, delivery.value()) != Status::ok) return Status::outbox_full;
        ++published.subscribers;
        if (link->session_open()) ++published.reachable;
    }
    return Status::ok;
}

// Newest delivery first, as lanes want it.
void Bus::undo(std::uint16_t message) {
    for (std::uint16_t i = log_.message_at(message).deliveries; i != kNoSlot;) {
        const link::Delivery& delivery = log_.delivery_at(i);
        if (delivery.state != link::DeliveryState::idle) shared_.links(delivery.peer)->sender(delivery.lane).retract(i);
        i = delivery.sibling;
    }
    shared_.outbox.abandon(message);
}

std::uint16_t Bus::subscriber_count(std::string_view topic) const {
    if (!valid_topic(topic, topics_.bytes_max())) return 0;
    std::uint16_t count = 0;
    const std::size_t rows = remote_.rows().size();
    for (std::size_t i = remote_.next_match(0, topic); i < rows; i = remote_.next_match(i + 1, topic)) ++count;
    return count;
}

bool Bus::poll_outcome(Event& event) {
    link::OutcomeReport report{};
    if (!log_.poll(report)) return false;
    event = Event{.kind = EventKind::outcome};
    event.outcome = report.outcome;
    event.effect = report.effect;
    event.node = report.node;
    event.subscription = report.subscription;
    event.id = report.id.value();
    // Counters stand in the order of outcomes.
    const auto first = static_cast<unsigned>(Counter::outcomes_acknowledged) - static_cast<unsigned>(Outcome::acknowledged);
    shared_.counters.add(static_cast<Counter>(first + static_cast<unsigned>(report.outcome)));
    return true;
}

// ---- Subscribing ------------------------------------------------------------------------------------------------------

Result<SubscriptionId> Bus::subscribe(std::string_view filter, Handler handler, const SubscribeOptions& options) {
    if (!valid_filter(filter, topics_.bytes_max())) return Status::invalid_filter;
    if (!handler || options.durable_id > kDurableIdMax) return Status::invalid_argument;
    LeaseKey fence{};
    if (!options.fence_lease.empty()) {
        if (!valid_lease(options.fence_lease)) return Status::invalid_argument;
        fence = ledger::lease_key(options.fence_lease);
        if (const Status status = fences_.guard(fence, options.fence_lease); status != Status::ok) return status;
    }
    const Result<SubscriptionId> id = local_.add(filter, handler, options.durable_id, fence, advertiser_.settled());
    if (id.ok() && options.durable_id != 0) release_due_ = true;
    return id;
}

Status Bus::unsubscribe(SubscriptionId subscription) { return local_.remove(subscription); }

Status Bus::complete(Instant now, const CompletionId& completion, Verdict verdict) {
    if (verdict == Verdict::pending) return Status::invalid_argument;
    if (completion.peer.value() >= shared_.peers.size()) return Status::not_found;
    keys_.completed(completion, disposition(verdict));
    release_keys();
    link::Link* const link = shared_.links(completion.peer);
    if (link == nullptr || link->peer_id() != completion.publisher) return Status::not_found;
    if (verdict == Verdict::invalid) shared_.counters.add(Counter::payload_invalid);
    if (!link->has_lane(index_of(completion.lane))) return Status::not_found;
    return link->receiver(completion.lane).complete(now, completion.sequence, completion.stream_tag, disposition(verdict));
}

// ---- Receiving --------------------------------------------------------------------------------------------------------

TopicIndex Bus::intern(std::string_view topic) {
    if (!valid_topic(topic, topics_.bytes_max())) return kTopicNotKept;
    const TopicIndex index = topics_.intern(topic);
    if (index != kNoTopic) return index;
    shared_.counters.add(Counter::topic_table_full);
    return kTopicNotKept;
}

link::Disposition Bus::deliver(const link::InboundMessage& message) {
    if (!delivering_) return link::Disposition::held;
    const LocalSubscription* const subscription = local_.find(message.subscription);
    if (subscription == nullptr) {
        // A durable one may yet come back: its application has not subscribed again since the start.
        const bool may_return = is_durable(message.subscription) && !local_.was_removed(message.subscription);
        return may_return ? link::Disposition::held : link::Disposition::subscriber_gone;
    }
    if (message.topic == kTopicNotKept) return link::Disposition::rejected;
    return message.blocks.keyed ? deliver_once(*subscription, message) : run(*subscription, message);
}

// One message of each key has the effect. What is known of a key goes before what a fence says: nothing runs.
link::Disposition Bus::deliver_once(const LocalSubscription& subscription, const link::InboundMessage& message) {
    const KeyTable::Answer answer = keys_.ask(message);
    note_key_answer(message, answer);
    if (answer.entry == kNoSlot) return answer.disposition;
    const link::Disposition disposition = run(subscription, message);
    keys_.ended(answer.entry, disposition);
    release_keys();
    return disposition;
}

void Bus::note_key_answer(const link::InboundMessage& message, const KeyTable::Answer& answer) {
    release_keys();
    if (answer.entry != kNoSlot) {
        keys_full_ = false;
        return;
    }
    switch (answer.wait) {
        case KeyTable::Wait::first: return shared_.counters.add(Counter::keys_waited);
        case KeyTable::Wait::room: break;
        case KeyTable::Wait::none: {
            const bool refused = answer.disposition == link::Disposition::rejected;
            return shared_.counters.add(refused ? Counter::keys_refused : Counter::keys_repeated);
        }
    }
    shared_.counters.add(Counter::key_table_full);
    if (!std::exchange(keys_full_, true)) tell(EventKind::key_table_full, message.publisher, message.subscription);
}

// Not here and now: this may be called from within a handler.
void Bus::release_keys() { release_due_ = keys_.take_released() || release_due_; }

link::Disposition Bus::run(const LocalSubscription& subscription, const link::InboundMessage& message) {
    if (subscription.fence != LeaseKey{}) {
        const std::optional<link::Disposition> refused = refuse_unfenced(subscription.fence, message);
        if (refused) return *refused;
    }
    const Handler handler = subscription.handler;
    const bool repeated = message.maybe_repeated || (message.blocks.keyed && keys_.may_have_run(message));
    const Verdict verdict = handler(Message{.topic = topics_.name(message.topic),
                                            .payload = message.payload,
                                            .completion = {.sequence = message.sequence,
                                                           .subscription = message.subscription,
                                                           .publisher = message.publisher,
                                                           .peer = message.peer,
                                                           .stream_tag = message.stream_tag,
                                                           .lane = message.lane},
                                            .lamport = message.lamport,
                                            .token = message.blocks.token,
                                            .publisher = message.publisher,
                                            .lane = message.lane,
                                            .maybe_repeated = repeated});
    if (verdict == Verdict::invalid) shared_.counters.add(Counter::payload_invalid);
    return disposition(verdict);
}

// What keeps the message from the handler of a subscription that guards `lease`; nothing: it may have it.
std::optional<link::Disposition> Bus::refuse_unfenced(LeaseKey lease, const link::InboundMessage& message) {
    Status status = Status::fenced;
    if (message.blocks.fenced && message.blocks.lease == lease) status = fences_.admit(lease, message.blocks.token);
    if (status == Status::ok) return std::nullopt;
    if (status == Status::busy) {
        // The journal had no room, and may have some before it tells of anything that is durable.
        if (fences_.ready()) fences_at_ = earlier(fences_at_, message.now + kFenceRetry);
        return link::Disposition::held;
    }
    Event event{.kind = EventKind::message_fenced};
    event.node = message.publisher;
    event.subscription = message.subscription;
    event.value = message.blocks.token.value();
    event.detail = fences_.floor(lease).value();
    shared_.events.push(event);
    return link::Disposition::fenced;
}

void Bus::release_held(Instant now) {
    for (std::size_t i = 0; i < shared_.peers.size(); ++i) {
        if (link::Link* const link = shared_.links(PeerIndex{static_cast<std::uint16_t>(i)})) link->release_held(now);
    }
}

void Bus::on_durable(Instant now) {
    log_.on_durable();
    if (fences_.take_ready()) release_held(now);
}

void Bus::floor_known(Instant now, LeaseKey lease, Token token) {
    fences_.floor_known(lease, token);
    if (fences_.take_ready()) release_held(now);
}

Instant Bus::next_deadline() const {
    if (release_due_) return Instant{};
    return earlier(fences_at_, earlier(advertiser_.next_deadline(), keys_.next_deadline()));
}

void Bus::on_timeout(Instant now) {
    advertiser_.on_timeout(now);
    keys_.on_timeout(now);
    release_keys();
    if (fences_at_ <= now) {
        fences_at_ = kNever;
        release_due_ = fences_.take_ready() || release_due_;
    }
    if (std::exchange(release_due_, false)) release_held(now);
}

}  // namespace dunlin::bus
