#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/ledger/acquire_detail.hpp>
#include <dunlin/ledger/commands.hpp>
#include <dunlin/ledger/voter_set_reader.hpp>
#include <dunlin/resilience/backoff.hpp>
#include <dunlin/resilience/circuit_breaker.hpp>
#include <dunlin/resilience/retry_budget.hpp>
#include <dunlin/wire/packet_writer.hpp>
#include <dunlin/wire/record.hpp>

#include <algorithm>
#include <array>

namespace dunlin::ledger {

struct ClientOptions {
    Duration request_timeout = seconds{5};                      // a request ends by then, with an answer or timed_out
    Duration quorum_wait = seconds{1};                          // no leader answered for so long: no_quorum (one check-quorum interval)
    static constexpr Duration backoff_base = milliseconds{20};  // between attempts, exponential with full jitter
    static constexpr Duration backoff_max = milliseconds{500};

    // No answer from a voter for so long: ask the next one. 250 ms, or a quarter of quorum_wait where that is less: a request that
    // ended before would leave the next one at the same voter, which may be down.
    [[nodiscard]] constexpr Duration attempt_timeout() const { return std::min<Duration>(milliseconds{250}, quorum_wait / 4); }
};

// For whom a request was made: results are handed out to each separately.
enum class Requester : std::uint8_t { application, lease_holder, fences };

// How a request ended.
struct RequestResult {
    RequestId request{};
    Status status = Status::ok;
    Effect effect = Effect::none;        // unknown: not ok, and a command may have been executed or may yet be
    std::uint64_t value = 0;             // put, get: revision; acquire, read_lease: token. See CommandResult, ReadKind
    std::uint64_t detail = 0;            // acquire: AcquireDetail; read_lease: the holder's NodeId; lease_held: ditto, 0: nobody
    Instant first_sent{};                // when the command's first bytes left this node
    std::span<const std::byte> bytes{};  // get: the value; valid until the next poll_result() for the same requester
};

enum class RequestKind : std::uint8_t { none, acquire, release, put, member, transfer, get, read_lease };
// Others read.
[[nodiscard]] constexpr bool is_command(RequestKind kind) { return kind >= RequestKind::acquire && kind <= RequestKind::transfer; }
enum class RequestState : std::uint8_t { idle, active, done, reported };

struct Request {
    std::uint64_t sequence = 0;  // of a command, once it was its turn; 0: not yet
    std::uint64_t value = 0;     // the result; until then: of a release, the token; of a member, its storage
    // Ditto; until then: of an acquire, the ttl in microseconds and below it the holder's epoch, 32 bits each; of a member, the
    // ChangeOp and below it the NodeId, 16 bits each; of a transfer, the NodeId.
    std::uint64_t detail = 0;
    Instant started{};  // when it was called
    Instant first_sent{};
    Instant next_attempt{};  // when to send (again), or to give up on the voter asked
    RequestId id{};
    std::uint32_t attempt = 0;  // number of the last transmission
    NodeId asked{};             // whom it went to
    std::uint16_t value_length = 0;
    RequestKind kind = RequestKind::none;
    RequestState state = RequestState::idle;
    Requester requester = Requester::application;
    Status status = Status::ok;
    Effect effect = Effect::none;
    std::uint8_t name_length = 0;
    std::uint8_t times_sent = 0;  // of a command in this session; stops at 255
    resilience::Backoff backoff{};
    bool owed : 1 = false;                      // to be written to the target
    bool awaiting : 1 = false;                  // written, and not answered yet
    std::array<char, kKeyNameBytesMax> name{};  // of a member: its address, whose rest is the request's value

    // Read::request: which call, and which attempt at it.
    [[nodiscard]] std::uint64_t wire_number() const { return std::uint64_t{id.value()} << 32 | attempt; }
};

struct ClientStorage {
    std::span<Request> requests;  // Limits::requests
    std::span<std::byte> values;  // requests.size() * value_bytes
    std::size_t value_bytes = 0;  // longest value that this node can put or get
};

// This node's calls into the ledger, wherever the leader is. Finds it through any voter (hints in replies, else round
// robin), retries the same (session, sequence) with a fresh attempt number, and ends every request by its timeout.
//
// - Commands of a session run one at a time, in the order of the calls, so that none can overtake another and be lost as
//   stale; reads run beside them. The session is opened when the first command needs it.
// - session_evicted: where the command was sent only once it cannot have run, so a fresh session is opened and it is sent
//   again; else it ends in session_evicted, effect unknown.
// - no_quorum: for quorum_wait no leader has answered, whomever the voters name. Never a hang. Once a request has ended so, and
//   until a voter names a leader or one answers, the application's end as soon as the voter that they ask knows of none either.
// - A node that is a voter itself is among the targets: node/ passes the written records to its own service.
//
// - What is sent again (after silence, a refusal, or to whom a refusal named) is paid for from one retry budget: the voters are
//   one service, and many of them are no reason to ask more often. Without a token it waits; its own timeout still ends it.
// - Each voter has a circuit breaker, fed by answers and silence (also LeaseHolder's). While a circuit is open the voter is
//   passed over as long as there is another one to ask: so one that is down, or whose replies get lost, costs its 250 ms once
//   in a while instead of in every turn. Refusals are answers. A hint goes before it: others know better who leads.
//
// - A transfer ends ok when the voter that was named leads, timed_out where it has not come to that.
//
// Voters are learned from voter_set records; until one came, every peer with a session is asked for it. Of two sets the one of the
// higher log index counts, whichever comes last.
class Client {
  public:
    Client(const ClientStorage& storage, const ClientOptions& options, Counters& counters, Random& random, EventQueue& events);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // ---- Requests. busy: every slot is taken. invalid_argument, too_large: the name or the value. -----------------
    [[nodiscard]] Result<RequestId> put(Instant now, std::string_view key, std::span<const std::byte> value);
    [[nodiscard]] Result<RequestId> get(Instant now, std::string_view key);
    // The cluster's members, which every voter knows: see MemberCommand. Value of the result: log index of the change. too_large: the
    // address is longer than a name and a value together. A change that is asked for again may be refused because it has happened.
    [[nodiscard]] Result<RequestId> change_member(Instant now, const MemberCommand& command);
    [[nodiscard]] Result<RequestId> transfer(Instant now, NodeId to);
    [[nodiscard]] Result<RequestId> read_lease(Instant now, std::string_view name, Requester requester);
    // For LeaseHolder, which alone can tell how long a grant is valid.
    [[nodiscard]] Result<RequestId> acquire(Instant now, const AcquireCommand& command);
    [[nodiscard]] Result<RequestId> release(Instant now, const ReleaseCommand& command);

    // The oldest result of that requester that was not polled yet; false when there is none. Frees the slot of the
    // result polled before it.
    [[nodiscard]] bool poll_result(Requester requester, RequestResult& result);
    // Whether poll_result() would return one.
    [[nodiscard]] bool has_result(Requester requester) const;

    // ---- Voters -------------------------------------------------------------------------------------------------
    void on_session_open(Instant now, NodeId peer);
    void on_session_closed(Instant now, NodeId peer);
    // A voter knows the voters from its own ledger; others learn them from voter_set records.
    // They are the voters as of log index `index`; nothing where newer ones are known.
    void set_voters(Instant now, LogIndex index, std::span<const NodeId> voters);
    [[nodiscard]] LogIndex voters_index() const { return voters_index_; }  // 0: not known
    [[nodiscard]] bool voters_known() const { return voters_index_ != LogIndex{}; }
    // Whom requests go to now; 0: nobody is known.
    [[nodiscard]] NodeId target() const { return target_count_ == 0 ? NodeId{} : targets_[target_]; }
    // Whether `node` is one of those that requests may go to: nobody else's answer counts.
    [[nodiscard]] bool is_target(NodeId node) const;
    // News from a reply of `from`: it is not the leader, and `leader` (0: nobody) is as far as it knows. Says where to ask,
    // and no more: a follower names a leader that died until its own election timeout.
    void on_not_leader(Instant now, NodeId from, NodeId leader);
    // `from` did not answer something that was sent to it; or did.
    void on_silence(Instant now, NodeId from);
    void on_answer(NodeId from);
    // The circuit of this voter; closed for everybody else.
    [[nodiscard]] resilience::CircuitState circuit(NodeId node) const;

    // ---- Records. voter_set is also of use to node/, for its addresses: see VoterSetReader ------------------------
    // True where the record was of a type that is the client's (valid or not).
    bool on_record(Instant now, NodeId from, const wire::Record& record);
    [[nodiscard]] const ClientOptions& options() const { return options_; }
    [[nodiscard]] bool wants_to_send(NodeId to) const;
    void write_records(Instant now, NodeId to, wire::PacketWriter& writer);

    [[nodiscard]] Instant next_deadline() const;
    void on_timeout(Instant now);

  private:
    enum class SessionState : std::uint8_t { none, opening, open };

    [[nodiscard]] Result<RequestId> submit(Instant now, RequestKind kind, Requester requester, std::string_view name, Request*& made);
    [[nodiscard]] Result<RequestId> submit_named(Instant now, RequestKind kind, Requester requester, std::string_view name, Request*& made);
    [[nodiscard]] Request* first_command();
    [[nodiscard]] bool eligible(const Request& request) const;
    [[nodiscard]] std::span<std::byte> value_of(const Request& request);

    void on_command_reply(Instant now, NodeId from, const wire::CommandReply& reply);
    void on_session_reply(Instant now, const wire::CommandReply& reply, Request& request);
    void on_read_reply(Instant now, NodeId from, const wire::Record& record);
    void on_refusal(Instant now, NodeId from, Request& request, Status status, NodeId leader);
    void on_leader(Instant now);
    void on_session_evicted(Instant now, std::uint64_t applied, Request& request);

    void finish(Instant now, Request& request, Status status, std::uint64_t value = 0, std::uint64_t detail = 0);
    void give_up(Instant now, Request& request, Status status);
    void owe(Instant now, Request& request);
    void retry_later(Instant now, Request& request);
    void retry_now(Instant now, Request& request);
    void on_attempt_due(Instant now, Request& request);
    [[nodiscard]] Instant deadline_of(const Request& request) const { return request.started + options_.request_timeout; }
    [[nodiscard]] Instant quorum_deadline(const Request& request) const;
    void choose_target(NodeId node);
    void advance_target(Instant now);
    [[nodiscard]] std::uint8_t find_target(NodeId node) const;
    void note_asked(Instant now);

    [[nodiscard]] bool write_request(Instant now, Request& request, wire::PacketWriter& writer);
    [[nodiscard]] bool write_open_session(Request& request, wire::PacketWriter& writer);
    [[nodiscard]] bool write_command(Instant now, Request& request, wire::PacketWriter& writer);
    [[nodiscard]] bool write_body(Request& request, wire::PacketWriter& writer);
    [[nodiscard]] bool write_read(Request& request, wire::PacketWriter& writer);

    std::span<Request> requests_;
    std::span<std::byte> values_;
    std::size_t value_bytes_;
    ClientOptions options_;
    Counters* counters_;
    Random* random_;
    EventQueue* events_;
    LogIndex voters_index_{};
    std::uint64_t session_ = 0;
    OpenSessionCommand opening_{};  // of that session, or of the next one
    std::uint64_t next_sequence_ = 1;
    Instant leader_evidence_{};  // when a leader last answered
    Instant ask_voters_at_ = kNever;
    std::uint32_t last_request_ = 0;
    std::uint32_t last_attempt_ = 0;  // one number a transmission, never used again
    resilience::RetryBudget retries_;
    SessionState session_state_ = SessionState::none;
    bool no_quorum_ = false;      // a request has ended so, and no leader was heard or heard of since
    bool voters_asked_ = false;   // the question is owed to the target
    std::uint8_t redirects_ = 0;  // hints followed in a row without an answer
    std::uint8_t target_ = 0;
    std::uint8_t target_count_ = 0;
    std::array<NodeId, kVotersMax> targets_{};                       // the voters, or until they are known, peers to ask for them
    std::array<resilience::CircuitBreaker, kVotersMax> circuits_{};  // theirs
};

}  // namespace dunlin::ledger
