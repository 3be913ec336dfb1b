#pragma once

#include <dunlin/consensus/configuration.hpp>
#include <dunlin/consensus/types.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/wire/wire.hpp>

#include <cstdint>

namespace dunlin::consensus {

inline constexpr auto kStateAgrees = static_cast<std::uint32_t>(wire::AppendReplyFlag::state_agrees);
inline constexpr auto kStateDiffers = static_cast<std::uint32_t>(wire::AppendReplyFlag::state_differs);

// What this node knows of, and owes to, another node: a member, or (standing none) one that speaks as if it were. Raft thesis §3.5,
// and etcd's tracker for the three modes:
// probe: one append at a time until it is known where the logs agree; replicate: next_index runs ahead of the answers;
// image: the follower is behind the ring and gets the image first.
// Invariant at a leader: match < next.
struct Progress {
    enum class Mode : std::uint8_t { probe, replicate, image };

    NodeId node{};
    Mode mode = Mode::probe;
    std::uint8_t in_flight = 0;             // appends with entries, or chunks, sent and not answered
    std::uint8_t vote_reply_flags : 6 = 0;  // VoteFlag
    std::uint8_t rank : 2 = 0;              // ConsensusOptions::election_rank, as it told last
    bool heartbeat_owed : 1 = false;
    bool answers : 1 = false;  // in this term, and lately: worth an image
    bool blocked : 1 = false;  // the next entry did not fit an empty packet; wait for the heartbeat
    bool vote_request_owed : 1 = false;
    bool vote_reply_owed : 1 = false;
    bool timeout_now_owed : 1 = false;
    bool stale_term_owed : 1 = false;  // it spoke as leader of an older term; tell it ours
    bool granted : 1 = false;          // in this ballot
    bool state_agrees : 1 = false;     // with ours, as it reported in this term
    bool state_differs : 1 = false;    // counts for nothing
    bool image_moved : 1 = false;      // image_acked has grown since the last heartbeat
    // How often image_acked went back since `match` last grew, counted up to kImageFallsMax: from then on, what it takes of
    // images is no progress: it begins again and again.
    static constexpr std::uint8_t kImageFallsMax = 3;
    std::uint8_t image_falls : 2 = 0;
    std::uint8_t farewells : 2 = 0;      // heartbeats until a node that was removed is sent nothing more
    std::uint8_t feature_level : 4 = 0;  // ConsensusOptions::feature_level, as it told in this term; 0: not yet
    Standing standing = Standing::none;
    std::uint32_t image_acked = 0;  // bytes of the staged image that arrived
    std::uint32_t image_sent = 0;   // >= image_acked
    StorageId storage{};
    LogIndex match{};                // durable there and equal to the leader's log
    LogIndex next{};                 // the next entry to send
    std::uint64_t acked_round = 0;   // highest round answered in this term
    std::uint64_t sent_round = 0;    // highest round sent
    std::uint64_t rewind_round = 0;  // refusals of rounds up to this one are old news
    Term vote_request_term{};        // what vote_reply_owed answers
    Instant heard{};                 // last answer in this term
    Instant advanced{};              // last progress: `match` grew, or `image_acked` did and had not fallen too often

    [[nodiscard]] bool votes() const { return standing == Standing::voter; }
    [[nodiscard]] bool is_sent_log() const { return standing != Standing::none || farewells != 0; }
    // A new term as leader: nothing is known but where its own log ends.
    void begin_term(LogIndex last, Instant now);
    // Forgets what only a candidate or a leader owes.
    void end_term();
    // An answer of the current term: `round` and all before it are no longer in flight.
    void on_answer(std::uint64_t round, Instant now);
    // The log is equal up to some prefix, of which everything up to `index` is durable there. `match` never goes back.
    void on_success(LogIndex index, Instant now);
    // The logs agree at `agreed` at the latest; `round`: of the refused append; `latest`: the last round sent to anybody.
    // Refusals of what was sent before the last rewind are old news.
    void on_refusal(LogIndex agreed, std::uint64_t round, std::uint64_t latest);
    // What the follower holds of the staged image.
    void on_image_offset(std::uint32_t offset, Instant now);
    // A heartbeat is due. Chunks that nobody answered since the last one are sent again; who is silent for `silence` is away.
    // `image_bytes`: of the image that is being sent.
    void owe_heartbeat(Instant now, Duration silence, std::uint32_t image_bytes);
    // Takes or leaves mode `image`, as the log begins after `base`.
    void choose_mode(LogIndex base);
    void restart_image();                     // another image is to be sent, or none
    void resume_image(std::uint32_t offset);  // the chunk at `offset` is the next to send
    [[nodiscard]] bool may_send_entries(std::uint8_t in_flight_max) const;
};

}  // namespace dunlin::consensus
