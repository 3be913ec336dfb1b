#pragma once

#include <dunlin/consensus/consensus.hpp>
#include <dunlin/ledger/ledger.hpp>
#include <dunlin/ledger/service.hpp>
#include <dunlin/node/coordinator.hpp>
#include <dunlin/node/records.hpp>

#include <utility>

namespace dunlin {

struct VoterStorage {
    consensus::ConsensusStorage consensus{};
    ledger::LedgerStorage ledger{};
    ledger::ServiceStorage service{};
};

// Consensus, the ledger's replica and the service in front of it, wired together: committed entries are applied in order,
// results go to the service, images go both ways. A leader raises the cluster's feature level to what all members know.
// A replica that can not go on (other limits than the cluster's, an unknown command or feature level, a state or a log that
// differs from the leader's, a clock that may err by more than the cluster was told) stops: it neither votes nor answers,
// and report() says why.
class Voter final : public Coordinator {
  public:
    // `clock_rate_bound_ppm`: of this node's own clock.
    Voter(const VoterStorage& storage, const consensus::ConsensusOptions& options, std::uint32_t clock_rate_bound_ppm,
          journal::Journal& journal, Counters& counters, Random& random, EventQueue& events);

    Status replay(Instant now, journal::RecordKind kind, std::span<const std::byte> bytes) override;
    Status recovered(Instant now) override;
    void start(Instant now, StorageId storage) override;
    bool on_record(Instant now, const consensus::Origin& from, const wire::Record& record) override;
    void on_session_open(NodeId peer) override { service_.on_session_open(peer); }
    void owe_voters(NodeId peer) override { service_.owe_voters(peer); }
    void on_timeout(Instant now) override;
    void on_durable(Instant now) override;
    void advance(Instant now) override;
    [[nodiscard]] Instant next_deadline() const override;
    [[nodiscard]] bool wants_to_send(NodeId to) const override;
    void write_records(Instant now, NodeId to, wire::PacketWriter& writer) override;
    [[nodiscard]] bool wants_checkpoint() const override { return image_to_store_; }
    void begin_checkpoint() override;
    [[nodiscard]] bool live_record(std::uint32_t position, std::size_t bytes_max, journal::RecordKind& kind,
                                   std::span<const std::byte>& first, std::span<const std::byte>& second) override;
    void end_checkpoint(JournalSequence gate) override;
    void hand_over(Instant now) override { static_cast<void>(consensus_.hand_over(now)); }
    void report(Instant now, StatusReport& report) const override;
    [[nodiscard]] ClusterIncarnation incarnation() const override { return incarnation_; }
    [[nodiscard]] ledger::MemberRow member(std::size_t slot) const override;
    [[nodiscard]] LogIndex members_index() const override;
    [[nodiscard]] bool take_members_changed() override { return std::exchange(members_changed_, false); }

  private:
    [[nodiscard]] bool running() const { return stopped_ == Status::ok; }
    void stop(Status status);
    void apply_committed(Instant now);
    void read_bootstrap();
    void members_from_image();
    void set_members(ClusterIncarnation incarnation, std::uint32_t voter_rate_ppm);
    void install_received(Instant now);
    void raise_feature_level(Instant now);
    [[nodiscard]] Status collect_chunk(std::span<const std::byte> bytes);

    consensus::Consensus consensus_;
    ledger::Ledger ledger_;
    ledger::Service service_;
    Counters* counters_;
    EventQueue* events_;
    std::uint32_t clock_rate_bound_ppm_;
    std::span<std::byte> staging_;
    const std::byte* checkpoint_image_ = nullptr;  // as long as staging_
    ImageChunkRecord chunk_{};                     // of the live record handed out last
    ClusterIncarnation incarnation_{};
    Status stopped_ = Status::ok;
    bool started_ = false;
    bool frozen_ = false;               // a checkpoint holds the image
    bool image_to_store_ = false;       // a received image waits for its checkpoint
    bool image_in_checkpoint_ = false;  // and this checkpoint contains it
    bool members_changed_ = false;
    std::uint8_t level_asked_ = 0;  // feature level that it has proposed in this term
};

}  // namespace dunlin
