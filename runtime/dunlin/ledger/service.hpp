#pragma once

#include <dunlin/core/counters.hpp>
#include <dunlin/core/slot_pool.hpp>
#include <dunlin/ledger/acquire_detail.hpp>
#include <dunlin/ledger/ledger.hpp>
#include <dunlin/ledger/log_port.hpp>
#include <dunlin/wire/packet_writer.hpp>
#include <dunlin/wire/record.hpp>

#include <array>
#include <limits>

namespace dunlin::ledger {

struct ServiceOptions {
    static constexpr Duration renewal_interval = milliseconds{10};  // renewals of so long go into one entry
};

// A command or a read under way at this leader, or any answer that is owed.
struct ServiceCall {
    std::uint64_t session = 0;   // command; renewal: the token; read: the term of its ticket
    std::uint64_t sequence = 0;  // command; read, renewal: the request number
    std::uint64_t index = 0;     // command: where it was proposed; read: the index of its ticket
    std::uint64_t value = 0;     // command: the answer; read: the round of its ticket
    std::uint32_t attempt = 0;
    NodeId peer{};
    std::uint16_t detail = 0;

    wire::RecordType reply = wire::RecordType::none;  // command_reply, read_reply or renew_reply
    CommandType type = CommandType::none;             // command
    ReadKind read = ReadKind::none;                   // read
    Status status = Status::ok;
    bool answered : 1 = false;  // the reply is owed
    bool taken : 1 = false;
    RowName name{};  // read

    void set_ticket(const consensus::ReadTicket& ticket) {
        session = ticket.term.value();
        index = ticket.index.value();
        value = ticket.round;
    }
    [[nodiscard]] consensus::ReadTicket ticket() const { return {Term{session}, LogIndex{index}, value}; }
};

// A renewal of the lease slot with the same number.
struct ServiceRenewal {
    enum class State : std::uint8_t { none, collected, proposed, answered };
    std::uint64_t request = 0;
    std::uint64_t token = 0;
    std::uint32_t index_low = 0;  // proposed: where
    NodeId peer{};
    State state = State::none;
    Status status = Status::ok;
};

// Calls that only carry a refusal: not_leader, busy, invalid_argument. They stay free of commands and reads.
inline constexpr std::size_t kServiceRefusals = 2;

struct ServiceStorage {
    std::span<ServiceCall> calls;        // Limits::proposals + kServiceRefusals
    std::span<ServiceRenewal> renewals;  // LedgerLimits::leases
    std::span<std::byte> bitmap;         // renewal_bitmap_bytes(limits)
};

// A voter's side of ledger calls. The leader proposes commands, collects renewals into one entry an interval, confirms
// reads by read-index, proposes a tick when a deadline passes, and owes each answer until it was written once: what is
// lost on the way, the client asks again. An answer that nobody comes for makes room when the table is full. Every other
// voter answers not_leader with the leader it knows.
//
// - An answer to a command or a renewal is given only after its entry was applied here, so it survives failover.
// - A command that is already under way is not proposed twice; one that the session has already run is answered from its
//   row. A repeated read is confirmed afresh: an older confirmation never answers it.
// - busy: Limits::proposals calls are under way, or the log is full.
// - A change of members is proposed only while its session is known and nothing committed waits to be applied, so the same change
//   is never twice in a log. not_found: no such member, or on another storage; ledger_full; invalid_argument: there is nothing to
//   change, or no voter would be left; busy: see LogPort::propose_change.
// - transfer: ok at the voter that is to lead and does; not_found: it is no voter; else busy, and leadership is handed over.
// - When leadership ends, everything under way is answered not_leader (the entry may still commit; the client's retry
//   finds it out), and renewals collected are forgotten: they must not be proposed in another term.
class Service {
  public:
    Service(const ServiceStorage& storage, const ServiceOptions& options, Ledger& ledger, const LogPort& log, Counters& counters);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // True where the record was of a type that is the service's (valid or not). `from`: proven by its session.
    bool on_record(Instant now, NodeId from, const wire::Record& record);
    // After every Ledger::apply() that left the replica running, in order.
    void on_applied(Instant now, const consensus::Entry& entry, const ApplyResult& result);
    // After an image was installed: results of the entries in it are not known here.
    void on_image_installed(Instant now);
    // A session with `peer` opened: it is told the voters, and what a session before asked to read is forgotten. Another process
    // of the peer numbers its reads anew, and would take an answer that is owed to the one before it for its own.
    void on_session_open(NodeId peer);
    void owe_voters(NodeId peer);  // it is told the voters, now that they are others, or since it asked

    // Call after every input to consensus: notices gained and lost leadership and confirmed reads.
    void poll(Instant now);
    [[nodiscard]] bool wants_to_send(NodeId to) const;
    void write_records(Instant now, NodeId to, wire::PacketWriter& writer);

    [[nodiscard]] Instant next_deadline() const;
    void on_timeout(Instant now);
    // Proposes the renewals collected so far without waiting for the interval.
    void flush_renewals(Instant now);

  private:
    void on_command(Instant now, NodeId from, const wire::Record& record);
    void on_read(NodeId from, const wire::Record& record);
    void on_renew(Instant now, NodeId from, const wire::Renew& renew);
    [[nodiscard]] Status take_command(Instant now, const ServiceCall& wanted, std::span<const std::byte> body);
    [[nodiscard]] Result<LogIndex> propose(Instant now, const ServiceCall& call, std::span<const std::byte> body);
    [[nodiscard]] Result<LogIndex> propose_change(Instant now, const CommandHead& head, std::span<const std::byte> body);
    [[nodiscard]] Status transfer(Instant now, ServiceCall& call, std::span<const std::byte> body);
    [[nodiscard]] Status take_read(const ServiceCall& wanted);
    [[nodiscard]] ServiceCall* take_slot(const ServiceCall& wanted, std::size_t spare);

    [[nodiscard]] bool answered_before(ServiceCall& call);
    [[nodiscard]] bool up_to_date() const;
    [[nodiscard]] bool holds(NodeId node, std::uint16_t slot, std::uint64_t token) const;

    void refuse(const ServiceCall& call, Status status);
    void answer(ServiceCall& call, Status status);
    void answer_renewals(LogIndex index);
    void end_leadership();
    void propose_tick(Instant now);
    void schedule_tick(Instant now);

    [[nodiscard]] bool write_call(const ServiceCall& call, wire::PacketWriter& writer) const;
    [[nodiscard]] bool write_read_reply(const ServiceCall& call, wire::PacketWriter& writer) const;

    [[nodiscard]] bool write_renewal(std::uint64_t request, std::uint64_t token, Status status, wire::PacketWriter& writer) const;
    [[nodiscard]] bool write_voter_set(wire::PacketWriter& writer) const;

    [[nodiscard]] static constexpr std::size_t bit_of(NodeId peer) {
        return std::size_t{1} << (peer.value() % std::numeric_limits<std::size_t>::digits);
    }
    void owe(NodeId peer) { owed_ |= bit_of(peer); }
    [[nodiscard]] bool owes(NodeId to) const;
    // The call that the record repeats, if it is still here.
    [[nodiscard]] ServiceCall* find_same(const ServiceCall& wanted);

    std::span<ServiceCall> calls_;
    std::span<ServiceRenewal> renewals_;
    std::span<std::byte> bitmap_;
    ServiceOptions options_;
    Ledger* ledger_;
    LogPort log_;
    Counters* counters_;
    Instant flush_at_ = kNever;  // renewals wait
    Instant tick_at_ = kNever;
    std::uint64_t tick_index_ = 0;  // a tick under way; 0: none
    std::uint64_t term_ = 0;        // of the leadership that calls_ and renewals_ belong to
    // Whom an answer or the voters may be owed to, by the last bits of the ids: asked of each peer before every packet, so that a
    // search for one that is owed nothing must be rare.
    std::size_t owed_ = 0;
    bool leading_ = false;
    bool reading_ = false;  // a read may be under way: asked at every input

    std::array<NodeId, 8> voter_set_owed_{};  // 0: free
    std::uint8_t voter_set_next_ = 0;         // which to overwrite when all are taken
};

}  // namespace dunlin::ledger
