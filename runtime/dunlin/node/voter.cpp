#include <dunlin/node/voter.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/ledger/commands.hpp>

#include <algorithm>
#include <array>

namespace dunlin {
namespace {

constexpr LogIndex kBootstrap{1};

consensus::ConsensusOptions with_feature_level(consensus::ConsensusOptions options, std::uint8_t level) {
    options.feature_level = level;
    return options;
}

}  // namespace

Voter::Voter(const VoterStorage& storage, const consensus::ConsensusOptions& options, std::uint32_t clock_rate_bound_ppm,
             journal::Journal& journal, Counters& counters, Random& random, EventQueue& events)
    : consensus_(storage.consensus, with_feature_level(options, storage.ledger.feature_level), journal, counters, random, events),
      ledger_(storage.ledger, counters),
      service_(storage.service, {}, ledger_, ledger::log_port(consensus_), counters),
      counters_(&counters),
      events_(&events),
      clock_rate_bound_ppm_(clock_rate_bound_ppm),
      staging_(storage.consensus.staging) {}

// ---- Recovery ---------------------------------------------------------------------------------------------------

Status Voter::collect_chunk(std::span<const std::byte> bytes) {
    ImageChunkRecord chunk;
    if (!take(bytes, chunk)) return Status::corrupt;
    if (chunk.total_bytes != staging_.size()) return Status::invalid_argument;  // made under other limits
    if (chunk.offset > staging_.size() || bytes.size() > staging_.size() - chunk.offset) return Status::corrupt;
    std::ranges::copy(bytes, staging_.begin() + chunk.offset);
    if (chunk.offset + bytes.size() < staging_.size()) return Status::ok;
    if (const Status status = ledger_.install(staging_); status != Status::ok) return status;
    consensus_.restore_image({ledger_.applied(), ledger_.applied_term(), ledger_.cluster_time()});
    members_from_image();
    return stopped_;
}

Status Voter::replay(Instant now, journal::RecordKind kind, std::span<const std::byte> bytes) {
    switch (kind) {
        case journal::RecordKind::image_chunk: return collect_chunk(bytes);
        case journal::RecordKind::hard_state:
        case journal::RecordKind::log_entry: break;
        default: return Status::ok;
    }
    Status status = consensus_.replay(kind, bytes);
    while (status == Status::busy && consensus_.next_to_apply()) {
        apply_committed(now);
        if (!running()) return stopped_;
        status = consensus_.replay(kind, bytes);
    }
    if (status != Status::ok) return status == Status::busy ? Status::table_full : status;
    read_bootstrap();  // before what changes its members
    return stopped_;
}

Status Voter::recovered(Instant now) {
    apply_committed(now);
    return stopped_;
}

void Voter::start(Instant now, StorageId storage) {
    started_ = true;
    if (running()) consensus_.start(now, storage);
    advance(now);
}

// ---- Voters -------------------------------------------------------------------------------------------------------

void Voter::read_bootstrap() {
    if (incarnation_ != ClusterIncarnation{} || !running()) return;
    const auto entry = consensus_.unread_bootstrap();
    if (!entry) return;
    ledger::BootstrapHead head{};
    if (!ledger::decode(entry->payload, head)) return stop(Status::corrupt);
    if (head.limits != ledger_.limits()) return stop(Status::invalid_argument);
    set_members(ClusterIncarnation{head.incarnation}, head.voter_rate_ppm);
}

// What the log has behind the image, consensus adds by itself.
void Voter::members_from_image() {
    if (ledger_.incarnation() != ClusterIncarnation{}) set_members(ledger_.incarnation(), ledger_.voter_rate_ppm());
}

void Voter::set_members(ClusterIncarnation incarnation, std::uint32_t voter_rate_ppm) {
    if (voter_rate_ppm < clock_rate_bound_ppm_) return stop(Status::invalid_argument);
    incarnation_ = incarnation;
    std::array<consensus::Member, kVotersMax> members{};
    std::size_t count = 0;
    for (std::size_t slot = 0; slot < kVotersMax; ++slot) {
        const ledger::MemberRow row = member(slot);
        if (row.storage == 0) continue;
        const bool votes = row.flags == ledger::kMemberVoter;
        members[count++] = {{NodeId{row.node}, StorageId{row.storage}}, votes ? consensus::Standing::voter : consensus::Standing::learner};
    }
    consensus_.set_members(std::span(members).first(count));
    if (consensus_.stopped() != Status::ok) return stop(consensus_.stopped());
    members_changed_ = true;
}

// The ledger names them once the bootstrap entry is applied; before, that entry is in the log.
ledger::MemberRow Voter::member(std::size_t slot) const {
    if (ledger_.incarnation() != ClusterIncarnation{})
        return slot < ledger::member_rows(ledger_.limits()) ? ledger_.member(slot) : ledger::MemberRow{};
    if (incarnation_ == ClusterIncarnation{} || !consensus_.log().contains(kBootstrap)) return {};
    const std::span<const std::byte> payload = consensus_.log().entry(kBootstrap).payload;
    return slot < wire::load<ledger::BootstrapHead>(payload).voter_count ? ledger::bootstrap_voter(payload, slot) : ledger::MemberRow{};
}

LogIndex Voter::members_index() const {
    if (ledger_.incarnation() != ClusterIncarnation{}) return ledger_.voters_index();
    return incarnation_ != ClusterIncarnation{} ? kBootstrap : LogIndex{};
}

// ---- Input --------------------------------------------------------------------------------------------------------

bool Voter::on_record(Instant now, const consensus::Origin& from, const wire::Record& record) {
    if (!running() || !started_) return false;
    if (consensus_.on_record(now, from, record)) {
        if (consensus_.stopped() != Status::ok) stop(consensus_.stopped());
        read_bootstrap();
        return true;
    }
    return service_.on_record(now, from.node, record);
}

void Voter::on_timeout(Instant now) {
    if (!running() || !started_) return;
    consensus_.on_timeout(now);
    service_.on_timeout(now);
}

void Voter::on_durable(Instant now) {
    if (running() && started_) consensus_.on_durable(now);
}

void Voter::advance(Instant now) {
    if (!running() || !started_) return;
    if (!frozen_) apply_committed(now);
    install_received(now);
    if (running() && consensus_.wants_image()) {
        const Status status =
            consensus_.provide_image({ledger_.applied(), ledger_.applied_term(), ledger_.cluster_time()}, ledger_.image());
        DUNLIN_ASSERT(status == Status::ok);
    }
    raise_feature_level(now);
    if (running()) service_.poll(now);
}

// Once in a term for each level: where the entry is lost, leadership is too, and who leads next hears everybody anew.
void Voter::raise_feature_level(Instant now) {
    const std::uint8_t level = consensus_.features_of_all();
    if (level == 0) level_asked_ = 0;
    if (!running() || level <= std::max<std::uint32_t>(ledger_.feature_level(), level_asked_) || !consensus_.committed_in_term()) return;
    const ledger::FeatureEntry entry{level, 0};
    if (consensus_.propose(now, consensus::EntryType::feature, bytes_of(entry)).ok()) level_asked_ = level;
}

void Voter::apply_committed(Instant now) {
    while (running()) {
        const auto entry = consensus_.next_to_apply();
        if (!entry) return;
        const ledger::ApplyResult result = ledger_.apply(*entry);
        if (result.replica != Status::ok) return stop(result.replica);
        if (entry->type == consensus::EntryType::members) members_changed_ = true;
        if (started_) service_.on_applied(now, *entry, result);
        consensus_.applied(entry->index, ledger_.state_hash());
    }
}

void Voter::install_received(Instant now) {
    if (!running() || image_to_store_ || frozen_) return;
    const auto received = consensus_.received_image();
    if (!received) return;
    if (const Status status = ledger_.install(received->bytes); status != Status::ok) return stop(status);
    consensus_.adopt_image();
    members_from_image();
    service_.on_image_installed(now);
    image_to_store_ = true;
}

void Voter::stop(Status status) {
    stopped_ = status;
    counters_->add(Counter::replicas_diverged);
    Event event;
    event.kind = EventKind::diverged;
    event.status = status;
    event.value = ledger_.applied().value();
    events_->push(event);
}

Instant Voter::next_deadline() const {
    if (!running() || !started_) return kNever;
    return earlier(consensus_.next_deadline(), service_.next_deadline());
}

// ---- Output -------------------------------------------------------------------------------------------------------

bool Voter::wants_to_send(NodeId to) const { return running() && started_ && (consensus_.wants_to_send(to) || service_.wants_to_send(to)); }

void Voter::write_records(Instant now, NodeId to, wire::PacketWriter& writer) {
    if (!running() || !started_) return;
    consensus_.write_records(now, to, writer);
    service_.write_records(now, to, writer);
}

// ---- Checkpoints ----------------------------------------------------------------------------------------------------

void Voter::begin_checkpoint() {
    frozen_ = true;
    image_in_checkpoint_ = image_to_store_;
    const std::span<const std::byte> image = ledger_.image();
    DUNLIN_ASSERT(image.size() == staging_.size());
    checkpoint_image_ = image.data();
}

bool Voter::live_record(std::uint32_t position, std::size_t bytes_max, journal::RecordKind& kind, std::span<const std::byte>& first,
                        std::span<const std::byte>& second) {
    const std::span<const std::byte> image(checkpoint_image_, ledger_.applied() != LogIndex{} ? staging_.size() : 0);
    const std::size_t chunk_bytes = bytes_max - sizeof(ImageChunkRecord);
    const auto chunks = static_cast<std::uint32_t>((image.size() + chunk_bytes - 1) / chunk_bytes);
    if (position < chunks) {
        chunk_ = {static_cast<std::uint32_t>(position * chunk_bytes), static_cast<std::uint32_t>(image.size())};
        kind = journal::RecordKind::image_chunk;
        first = bytes_of(chunk_);
        second = image.subspan(chunk_.offset, std::min<std::size_t>(chunk_bytes, image.size() - chunk_.offset));
        return true;
    }
    consensus::LiveRecord live;
    if (!consensus_.live_record(ledger_.applied(), position - chunks, live)) return false;
    kind = live.kind;
    first = live.first;
    second = live.second;
    return true;
}

void Voter::end_checkpoint(JournalSequence gate) {
    frozen_ = false;
    if (!image_in_checkpoint_) return;
    image_in_checkpoint_ = image_to_store_ = false;
    consensus_.image_installed(gate);
}

void Voter::report(Instant now, StatusReport& report) const {
    report.role = started_ && running() ? consensus_.role() : consensus::Role::member;
    report.leader = consensus_.leader();
    report.term = consensus_.term();
    report.last_index = consensus_.last_index();
    report.commit = consensus_.commit();
    report.applied = ledger_.applied();
    report.members_index = members_index();
    report.cluster_time = consensus_.cluster_time(now);
    report.replica = stopped_;
    report.feature_level = ledger_.feature_level();
    report.state_hash = ledger_.state_hash();
}

}  // namespace dunlin
