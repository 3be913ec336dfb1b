#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/lane.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/link/credit.hpp>
#include <dunlin/link/link_shared.hpp>
#include <dunlin/resilience/backoff.hpp>
#include <dunlin/wire/packet_writer.hpp>
#include <dunlin/wire/wire.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::link {

// A hello as it arrived.
struct HelloPacket {
    wire::PacketHeader header{};
    wire::Hello hello{};
    std::array<wire::LaneState, kLanesMax> lanes{};  // by their numbers
    std::uint8_t lanes_stated = 0;                   // so many the sender has
    std::string_view cluster_name{};
    PathId path{};
    StorageId voter_storage{};  // nonzero: the claimed NodeId is a voter's, whose journal has this id
};

// What a hello says of messages.
struct HelloStatement {
    std::span<const wire::LaneState> lanes{};
    StreamId stream{};
    Credit credit{};
};

// Which process of the peer the session that just opened is with.
enum class PeerProcess : std::uint8_t {
    unknown,  // the first session of this link
    same,     // that of the session before
    newer,    // the one before is gone, and its volatile subscriptions with it
};

enum class HelloResult : std::uint8_t {
    ignored,
    answered,
    opened,
    refused,
    own_id,  // it claims this node's own id: it is this node's own packet, or another process has the id
};

// The handshake of one link (docs/wire.md). Each side proves to live now by echoing the other's fresh nonce:
//
//     A -> B  hello {a, echo 0}      B answers, believes nothing
//     B -> A  hello {b, echo a}      A opens: B has just seen a. A confirms until it hears a packet of the session
//     A -> B  hello {a, echo b}      B opens
//
// The next session's nonce is a candidate beside the open session, and replaces it only when it is echoed: a hello
// from the past costs one answer and changes nothing. The epoch is believed when a session opens, never before.
//
// Two live claimants of one NodeId: a process without a journal cannot know that its epoch is an old one, and takes the next
// when it is refused; but not while the claimant that is known was heard within half the idle timeout. Where the other one
// was heard a whole one after the first refusal, either reports identity_conflict and stays out: giving way to and fro would be
// worse. A voter's id belongs to the journal that the cluster's log names: anybody else who claims it is refused and told at once.
class Session {
  public:
    static constexpr Duration kRetryBase = milliseconds{50};
    static constexpr Duration kRetryMax = seconds{2};

    explicit Session(const LinkShared& shared) : shared_(&shared) {}

    void set_peer(NodeId peer) { peer_id_ = peer; }
    void dial(Instant now, PathId path);
    void stop_dialling() { dialling_ = false; }
    [[nodiscard]] PathId dial_path() const { return dial_path_; }
    void close(Instant now);  // the session, if open; dials again if it dialled
    void forget();            // everything; another peer

    [[nodiscard]] HelloResult on_hello(Instant now, const HelloPacket& packet);
    void on_refused(Instant now, NodeId by, const wire::HelloRefused& refused);
    // A packet of the open session? Counts why not.
    [[nodiscard]] bool accepts(PathId path, const wire::PacketHeader& header) const;
    void heard(Instant now);  // a packet of the open session was taken
    // The peer is heard asking whether the session is open here.
    [[nodiscard]] bool take_confirmation_owed();

    [[nodiscard]] bool wants_to_write(Instant now) const;
    // A hello or refusal that is due; 0: none. `statement` goes into a hello.
    [[nodiscard]] std::size_t write(Instant now, const HelloStatement& statement, std::span<std::byte> buffer, PathId& path);
    [[nodiscard]] wire::PacketHeader header(PacketNumber number) const;  // of a packet in the open session

    [[nodiscard]] Instant next_deadline() const;
    [[nodiscard]] bool idle(Instant now) const;  // open, and nothing heard for too long

    [[nodiscard]] bool open() const { return own_ != SessionNonce{}; }
    [[nodiscard]] NodeId peer_id() const { return peer_id_; }
    [[nodiscard]] BootEpoch peer_epoch() const { return peer_epoch_; }
    [[nodiscard]] StorageId peer_storage() const { return peer_storage_; }
    [[nodiscard]] bool peer_is_voter() const { return peer_is_voter_; }
    [[nodiscard]] ClusterIncarnation cluster() const { return cluster_; }
    [[nodiscard]] PathId path() const { return path_; }
    // This side has opened with the same nonce of the peer before, who had not opened: to the peer it is one session, in which
    // packets of both are under way, so that no number may come twice.
    [[nodiscard]] bool numbers_go_on() const { return numbers_go_on_; }
    [[nodiscard]] Instant last_heard() const { return last_heard_; }
    [[nodiscard]] std::uint16_t packet_bytes() const { return packet_bytes_; }
    // An echo of the nonce in this side's next hello: its sender was sent that hello.
    [[nodiscard]] bool is_fresh(SessionNonce echo) const { return echo != SessionNonce{} && echo == candidate_; }
    [[nodiscard]] PeerProcess peer_process() const { return peer_process_; }
    [[nodiscard]] BootEpoch epoch_refused() const;

  private:
    struct HelloIds {
        SessionNonce nonce{};
        SessionNonce echo{};
        NodeId to{};
    };
    [[nodiscard]] wire::RefuseReason objection(const HelloPacket& packet) const;
    void refuse(Instant now, const HelloPacket& packet, wire::RefuseReason reason);
    void tell_conflict(NodeId by);
    void open_session(Instant now, const HelloPacket& packet);
    [[nodiscard]] bool hello_wanted() const;
    [[nodiscard]] std::size_t write_hello(const HelloIds& ids, const HelloStatement& statement, std::span<std::byte> buffer);
    [[nodiscard]] std::size_t write_refusal(std::span<std::byte> buffer);
    [[nodiscard]] wire::PacketHeader bare_header(NodeId to) const;

    SessionNonce own_{};        // of the open session; 0: none is open
    SessionNonce peer_{};       // or of the last one
    SessionNonce candidate_{};  // of the next session
    SessionNonce heard_{};      // the peer's nonce that the candidate's hello echoes
    InstanceId peer_instance_{};
    StorageId peer_storage_{};
    ClusterIncarnation cluster_{};
    Instant last_heard_{};
    Instant retry_at_ = kNever;
    Instant refused_since_ = kNever;  // because another claimant lives: since when without a break
    const LinkShared* shared_;
    PathId path_{};
    PathId dial_path_{};
    PathId answer_path_{};
    BootEpoch peer_epoch_{};  // highest proved
    BootEpoch epoch_refused_{};
    std::uint32_t refused_for_ms_ = 0;  // from refused_since_ to the last time
    NodeId peer_id_{};
    NodeId answer_to_{};
    std::uint16_t packet_bytes_ = 0;
    resilience::Backoff backoff_;
    std::uint8_t echoes_ = 0;  // dialled hellos that carried the same echo
    bool dialling_ : 1 = false;
    bool numbers_go_on_ : 1 = false;
    bool answer_owed_ : 1 = false;
    bool unconfirmed_ : 1 = false;  // opened, and no packet of the session heard yet
    bool confirmation_owed_ : 1 = false;
    bool conflict_told_ : 1 = false;
    bool peer_is_voter_ : 1 = false;
    PeerProcess peer_process_ : 2 = PeerProcess::unknown;
};

}  // namespace dunlin::link
