#pragma once

#include <dunlin/consensus/cluster_clock.hpp>
#include <dunlin/consensus/configuration.hpp>
#include <dunlin/consensus/image_stage.hpp>
#include <dunlin/consensus/journal_records.hpp>
#include <dunlin/consensus/log.hpp>
#include <dunlin/consensus/options.hpp>
#include <dunlin/consensus/progress.hpp>
#include <dunlin/consensus/types.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/core/status.hpp>
#include <dunlin/journal/journal.hpp>
#include <dunlin/wire/packet_reader.hpp>
#include <dunlin/wire/packet_writer.hpp>

#include <array>
#include <optional>
#include <span>
#include <utility>

namespace dunlin::consensus {

// Slots that proposals leave free, so that new leaders find room for their no-ops where nothing can be committed.
inline constexpr std::size_t kReservedSlots = 4;

struct ConsensusStorage {
    LogStorage log{};
    std::span<std::byte> staging{};  // room for one image
    // One more than a cluster has members (voters and learners, at most kVotersMax): a node that is not known to be one, but
    // speaks as leader or candidate, has its place too.
    std::span<Progress> peers{};
};

// A record that a journal checkpoint must contain; valid until the next call into Consensus.
struct LiveRecord {
    journal::RecordKind kind{};
    std::span<const std::byte> first{};
    std::span<const std::byte> second{};
};

// One voter of Raft (Ongaro's thesis): election with pre-vote (§9.6), check-quorum (§6.2) and leader stickiness (§4.2.3),
// pipelined replication (§10.2.1), read-index (§6.4), leadership transfer (§3.10), images for followers that are behind the ring,
// changes of one member at a time with learners (§4.1, §4.2).
//
// It sends nothing by itself: what is owed to each voter is state, and write_records() turns it into records when the
// node has a packet for that voter. Nothing that promises leaves before the journal has made it durable:
// term and vote before any record of that term, entries before they are acknowledged or counted at the leader.
// Where the journal or the log has no room, a vote, an append or a proposal is refused and asked for again.
//
// Life: construct; restore_image() and replay() while the journal recovers; set_members() as soon as they are known; start();
// then on_record / on_timeout / on_durable as they happen, each followed by applying what next_to_apply() gives.
// Every call is O(voters + entries touched).
class Consensus {
  public:
    Consensus(const ConsensusStorage& storage, const ConsensusOptions& options, journal::Journal& journal, Counters& counters,
              Random& random, EventQueue& events);
    Consensus(const Consensus&) = delete;
    Consensus& operator=(const Consensus&) = delete;

    // ---- Recovery ---------------------------------------------------------------------------------------------
    // The ledger's image as found in the journal: the log begins after it. Before the entries that follow it.
    void restore_image(const ImagePoint& point);
    // A hard_state or log_entry record. busy: apply what next_to_apply() gives, then call again with the same record
    // (if there is nothing to apply, this node's log ring is smaller than the one that wrote it). corrupt: malformed.
    Status replay(journal::RecordKind kind, std::span<const std::byte> bytes);
    // Everything of this module that a checkpoint must hold next to an image at `image`: position 0, 1, 2, ... until
    // false. Nothing may be applied between the image and the last of them. Appends are refused meanwhile by the journal.
    [[nodiscard]] bool live_record(LogIndex image, std::uint32_t position, LiveRecord& out);

    // ---- Members ----------------------------------------------------------------------------------------------
    // The bootstrap entry, while it is in the log and members are not set: decode it and call set_members(), all of them voters.
    // Look after recovery and after each on_record().
    [[nodiscard]] std::optional<Entry> unread_bootstrap() const;
    // The members as the state machine has them, that is, as of applied() (the bootstrap's where nothing is applied yet); what the
    // log behind it changes is added. Call it at first, and after each adopt_image(). Fewer than the storage has peers; none: no
    // effect. A node whose own (id, storage) is no voter among them follows, and votes when it is asked, but does not campaign.
    void set_members(std::span<const Member> members);
    [[nodiscard]] bool members_known() const { return members_known_; }
    // The members that count now: as the last change in the log says, committed or not. 0..member_count() - 1, in no order.
    [[nodiscard]] std::size_t member_count() const;
    [[nodiscard]] Member member(std::size_t i) const;  // standing none where there is none
    // At a leader: adds an entry of type `members` of `change` and `rest`, which is not read here. It counts from now on, and no
    // more once its entry is lost. not_leader · busy: ask again, as nothing is committed in this term yet (the log may end with a
    // change of an older term that others do not have), a change is not committed, something committed is not applied,
    // leadership is being handed over, a learner to be promoted is behind or silent, or there is no room · invalid_argument: it
    // cannot be made, see standing_after(), or would leave no voter · ledger_full: as many members as there can be · too_large.
    // A leader that removes or demotes itself leads on, not counted, until that is committed; then it hands over, or steps down.
    Result<LogIndex> propose_change(Instant now, const ConfigChange& change, std::span<const std::byte> rest);
    // Why this voter has stopped, as a member that hears nothing and says nothing until it is made anew; ok: it has not. Look
    // after each on_record() and set_members(); whoever owns it says so. corrupt: the leader's log contradicts what is known to be
    // committed here, or changes members as nobody can, so one of the two is wrong; or the state here differs, see applied().
    // invalid_argument: the cluster's image is longer than ours can be, so it has other limits.
    [[nodiscard]] Status stopped() const { return stopped_; }

    // ---- Input ------------------------------------------------------------------------------------------------
    // Recovery is over. `storage`: of this node's journal, not 0 (a blank journal never votes). Call once.
    void start(Instant now, StorageId storage);
    // Takes a record of types vote_request .. timeout_now; returns false for other types. Malformed ones are counted.
    bool on_record(Instant now, const Origin& from, const wire::Record& record);
    void on_timeout(Instant now);  // may be called at any time
    void on_durable(Instant now);  // journal.durable() advanced
    [[nodiscard]] Instant next_deadline() const;

    // ---- Output -----------------------------------------------------------------------------------------------
    // Whether write_records() has something for `to` now.
    [[nodiscard]] bool wants_to_send(NodeId to) const;
    // Writes what is owed and durable; what finds no room stays owed. Call with an almost empty packet now and then:
    // an entry and its heads need up to entry_bytes_max + kEntryRecordBytes.
    void write_records(Instant now, NodeId to, wire::PacketWriter& writer);

    // ---- The log ----------------------------------------------------------------------------------------------
    // At a leader: adds an entry (payload: `first` then `second`), stamped with cluster time. Proposals made between two
    // write_records() travel in one append. not_leader · busy: the term's no-op is not in yet, leadership is being handed
    // over, or log or journal are full · too_large. An accepted entry may still be lost: see Entry::term when it is applied.
    // Proposals leave kReservedSlots of the ring to no-ops. Where they have filled it, with nothing of it committed, a leader adds
    // its no-op only once a majority has stored the whole log. Of terms that end between that and the no-op's commit, one round trip
    // later, it outlives kReservedSlots - 1 in a row; after one more it is full for good, for Raft commits nothing without an entry
    // of the leader's own term.
    Result<LogIndex> propose(Instant now, EntryType type, std::span<const std::byte> first, std::span<const std::byte> second = {});
    // The next committed entry that was not reported as applied, or nothing.
    [[nodiscard]] std::optional<Entry> next_to_apply() const;
    // The one that next_to_apply() gave, and the hash of the state after it (0: not told). A leader says the hash of what it has
    // applied with each append, and a follower compares its own as of the same entry: what was applied longest ago of what it has
    // heard and not applied, so that one that lags gets to it. It tells with its next answer whether they are equal, and whom the
    // leader hears to differ counts for nothing: for no commit, read or check-quorum. Once a majority agrees, the leader tells who
    // differs to stop; once so many differ that none can agree with it, it stops itself. So of three voters the one that differs
    // stops, whoever leads. Of two nobody can tell who is wrong: the leader stops, and the other one cannot lead alone. Each term
    // finds out anew: until its first comparison, answers count.
    void applied(LogIndex index, std::uint64_t state_hash);

    [[nodiscard]] Role role() const { return role_; }
    [[nodiscard]] NodeId leader() const { return leader_; }  // 0: not known
    [[nodiscard]] Term term() const { return term_; }
    [[nodiscard]] LogIndex commit() const { return commit_; }
    [[nodiscard]] LogIndex applied() const { return applied_; }
    [[nodiscard]] LogIndex last_index() const { return log_.last_index(); }
    [[nodiscard]] const Log& log() const { return log_; }
    // At a leader running with `now`, elsewhere the last value known. Never goes back at a leader.
    [[nodiscard]] ClusterTime cluster_time(Instant now) const;
    // At a leader: the newest feature level that every member knows, learners and this node too, as they told in this term; 0: not at a
    // leader, or not all have told. A node that joins later may know less.
    [[nodiscard]] std::uint8_t features_of_all() const;
    // At a leader: an entry of its own term is committed, so it knows what is committed. Before, reads are refused.
    [[nodiscard]] bool committed_in_term() const { return role_ == Role::leader && commit_ >= term_start_ && term_start_.value() != 0; }

    // ---- Linearizable reads (Raft thesis §6.4) ------------------------------------------------------------------
    // not_leader · busy: nothing is committed in this term yet.
    Result<ReadTicket> begin_read();
    [[nodiscard]] ReadState read_state(const ReadTicket& ticket);

    // ---- Images -----------------------------------------------------------------------------------------------
    // At a leader: a follower is behind the ring. Answer with provide_image() of the state as applied.
    [[nodiscard]] bool wants_image() const;
    // Copies the image to the staging span. too_large: longer than that.
    Status provide_image(const ImagePoint& point, std::span<const std::byte> image);
    // At a follower: an image is complete. Install it in the state machine, adopt_image(), write a checkpoint with it and
    // with live_record(), and when that checkpoint is accepted call image_installed() with the sequence it is durable at.
    // Until then nothing is appended or acknowledged here.
    [[nodiscard]] std::optional<ReceivedImage> received_image() const;
    void adopt_image();
    void image_installed(JournalSequence gate);

    // ---- Leadership transfer (Raft thesis §3.10) -----------------------------------------------------------------
    // Hands leadership to voter `to`, 0: to the one that is furthest (of these, of the best rank), if it answers within an election
    // timeout. Proposals are refused meanwhile. False: nothing happens, since this node does not lead, is at it, or does not hear such a
    // voter. By itself does so a leader whose disk is at one operation for election_timeout_max, again and again (leaders_hung), and one
    // that hears a voter of a better election_rank, every kRankPatience (leaders_yielded).
    bool hand_over(Instant now, NodeId to = {});

  private:
    // ---- election.cpp
    void campaign(Instant now, bool pre_vote);
    void count_votes(Instant now);
    void become_follower(Instant now);
    void become_leader(Instant now);
    void set_role(Role role);
    void set_leader(NodeId leader);
    bool adopt_term(Instant now, Term term, NodeId vote);
    bool store_hard_state(Term term, NodeId vote);
    void restart_election_timer(Instant now);
    void owe_vote_requests(Instant now);
    [[nodiscard]] bool trusts_a_leader(Instant now) const;
    [[nodiscard]] bool up_to_date(Term last_term, LogIndex last_index) const;
    [[nodiscard]] bool term_durable() const { return journal_->durable() >= hard_state_sequence_; }
    [[nodiscard]] bool may_succeed(Instant now, const Progress& peer) const;
    void on_vote_request(Instant now, Progress& peer, const wire::VoteRequest& request);
    void on_vote_reply(Instant now, Progress& peer, const wire::VoteReply& reply);
    void on_timeout_now(Instant now, const Progress& peer, const wire::TimeoutNow& order);

    // ---- following.cpp
    bool follow(Instant now, Progress& peer, Term term, std::uint64_t round);
    void on_append(Instant now, Progress& peer, const wire::Record& record);
    [[nodiscard]] bool agrees(LogIndex prev, Term prev_term) const;
    [[nodiscard]] bool take_entries(Instant now, const wire::Record& record, LogIndex& last);
    [[nodiscard]] Status take_entry(Instant now, LogIndex index, const wire::EntryHead& head, std::span<const std::byte> payload);
    [[nodiscard]] LogIndex reportable_match() const;
    void hear_state(LogIndex index, std::uint64_t hash);
    void compare_states();
    void stop(Status why);

    // ---- leading.cpp
    Result<LogIndex> append_proposal(Instant now, Status permitted, EntryType type, std::span<const std::byte> first,
                                     std::span<const std::byte> second);
    Status append_entry(Instant now, Term term, ClusterTime time, EntryType type, std::span<const std::byte> first,
                        std::span<const std::byte> second, std::size_t reserve);
    bool make_room(Instant now, std::size_t length, std::size_t reserve);
    [[nodiscard]] LogIndex droppable(Instant now) const;
    void start_term(Instant now);
    void lead_on(Instant now);
    void step_down(Instant now);
    void yield_to_better_rank(Instant now);
    void owe_heartbeats(Instant now);
    [[nodiscard]] bool disk_hangs(Instant now);
    [[nodiscard]] bool hears_majority(Instant now) const;
    [[nodiscard]] LogIndex majority_has() const;  // durably
    void advance_commit(Instant now);
    void set_commit(LogIndex index);
    [[nodiscard]] LogIndex agreement(LogIndex hint, Term hint_term) const;
    [[nodiscard]] bool answers_me(Instant now, Progress& peer, Term term, std::uint64_t round);
    void on_append_reply(Instant now, Progress& peer, const wire::AppendReply& reply);
    [[nodiscard]] bool judge_state(Progress& peer, const wire::AppendReply& reply);
    [[nodiscard]] bool told_to_stop(const Progress& peer) const;
    [[nodiscard]] std::uint64_t reached(std::uint64_t own, std::uint64_t (*value)(const Progress& peer)) const;

    // ---- output.cpp
    [[nodiscard]] bool owes(const Progress& peer) const;
    [[nodiscard]] bool owes_append_reply(const Progress& peer) const;
    void write_votes(Progress& peer, wire::PacketWriter& writer);
    void write_replies(Progress& peer, wire::PacketWriter& writer);
    void write_append(Instant now, Progress& peer, wire::PacketWriter& writer);
    [[nodiscard]] std::uint32_t entries_that_fit(const Progress& peer, std::size_t room) const;

    // ---- images.cpp
    [[nodiscard]] bool image_sendable() const {
        return stage_.state() == ImageStage::State::sending && stage_.point().index >= log_.base().index;
    }
    [[nodiscard]] bool may_send_chunk(const Progress& peer) const;
    void write_chunk(Progress& peer, wire::PacketWriter& writer);
    void on_snapshot_reply(Instant now, Progress& peer, const wire::SnapshotReply& reply);
    void on_snapshot_chunk(Instant now, Progress& peer, const wire::Record& record);

    // ---- membership.cpp
    // The last change in the log. One at most is not known to be committed, so one row says how to take it back.
    struct LastChange {
        LogIndex index{};
        Member before{};  // the row as it was
    };
    [[nodiscard]] bool change_pending() const { return last_change_.index > commit_; }
    [[nodiscard]] bool self_counts() const { return self_standing_ == Standing::voter; }
    [[nodiscard]] std::size_t voter_count() const;
    [[nodiscard]] Member row_of(NodeId node) const;
    void set_row(Instant now, const Member& row);
    Progress& slot_for(const Voter& id);
    [[nodiscard]] Progress* admit(const Origin& from);
    [[nodiscard]] bool may_take(EntryType type, std::span<const std::byte> payload) const;
    [[nodiscard]] Status permits(const ConfigChange& change) const;
    void take_effect(Instant now, const Entry& entry);
    void truncate_after(LogIndex index);
    [[nodiscard]] bool caught_up(Instant now, NodeId node) const;
    [[nodiscard]] bool may_campaign() const;
    void retire(Instant now);

    // ---- consensus.cpp
    [[nodiscard]] std::span<Progress> peers() { return peers_.first(peer_count_); }
    [[nodiscard]] std::span<const Progress> peers() const { return peers_.first(peer_count_); }
    [[nodiscard]] const Progress* peer_of(NodeId node) const;
    [[nodiscard]] Progress* peer_of(NodeId node) { return const_cast<Progress*>(std::as_const(*this).peer_of(node)); }
    [[nodiscard]] LogIndex durable_index() const { return log_.durable_index(journal_->durable()); }
    void tell(EventKind kind, NodeId node, std::uint64_t value);
    Status replay_entry(std::span<const std::byte> bytes);

    // What a follower owes to the leader that it heard in this term.
    struct LeaderReply {
        NodeId to{};  // 0: heard none
        bool append_owed = false;
        bool refused = false;  // the last append did not fit our log
        bool image_owed = false;
        std::uint32_t state_flags = 0;  // AppendReplyFlag::state_*
        std::uint64_t round = 0;        // highest round heard
        LogIndex verified{};            // our log equals the leader's up to here
        LogIndex reported{};            // match as last told
        LogIndex hint_index{};
        Term hint_term{};
        LogIndex image_index{};
        LogIndex checked_index{};  // to be compared once that is applied here: the leader's state had checked_hash; 0: none heard
        std::uint64_t checked_hash = 0;
    };

    ConsensusOptions options_;
    journal::Journal* journal_;
    Counters* counters_;
    Random* random_;
    EventQueue* events_;
    Log log_;
    ImageStage stage_;
    ClusterClock clock_;

    Term term_{};
    JournalSequence hard_state_sequence_{};  // makes term_ and voted_for_ durable
    LogIndex commit_{};
    LogIndex applied_{};
    std::uint64_t state_hash_ = 0;        // as of applied_; 0: not known, as after an image
    LogIndex replay_commit_{};            // recovery: committed as the journal says, maybe beyond what was replayed
    LogIndex term_start_{};               // leader: index of its no-op; 0: not in the log yet
    std::uint64_t round_ = 0;             // leader: number of the last append or chunk sent; grows while the process lives
    Instant election_deadline_ = kNever;  // leader: by when its disk must have ended disk_operation_
    Instant leader_heard_{};              // follower: last record of leader_; leader: when it last looked for one of a better rank
    Instant resend_at_ = kNever;          // leader: next heartbeat; candidate: next round of requests
    Instant transfer_deadline_ = kNever;
    StorageId storage_{};
    StorageId storage_named_{};  // what the members' rows say of this node
    LastChange last_change_{};
    LeaderReply reply_{};
    LogEntryRecord entry_scratch_{};  // of live_record()
    HardStateRecord hard_state_scratch_{};

    NodeId voted_for_{};
    NodeId leader_{};
    NodeId transfer_to_{};
    Role role_ = Role::member;
    Status stopped_ = Status::ok;
    bool transferred_ = false;  // candidate because the leader asked for it
    bool members_known_ = false;
    Standing self_standing_ = Standing::none;
    std::uint8_t peer_count_ = 0;       // slots in use, of members and of others
    std::uint32_t disk_operation_ = 0;  // leader: what the journal was at when last looked
    std::span<Progress> peers_;
};

}  // namespace dunlin::consensus
