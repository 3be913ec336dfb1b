#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/node/io.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dunlin {

enum class PathPhase : std::uint8_t {
    none,   // nothing to dial, or waiting for `dial_at`
    asked,  // a Dial was handed out
    up,
};

// Where one peer can be reached. A slot is in use while it has an address to dial or a node that was heard.
struct PeerSlot {
    Instant dial_at = kNever;  // when to ask for a path again
    // No session since then, or its address was asked anew without success; meaningful while no session is open.
    Instant quiet_since{};
    PathId path{};         // valid in phase `up`
    NodeId node{};         // 0: nobody has answered at the address since it got this slot
    NodeId predecessor{};  // who was met at the address before, and not for a while; 0: nobody
    std::uint16_t dial_id = 0;
    std::uint8_t attempts = 0;
    std::uint8_t address_bytes = 0;  // 0: not dialled from here
    PathPhase phase : 2 = PathPhase::none;
    bool in_use : 1 = false;
    bool blocked : 1 = false;       // the transport has no room for this path now
    bool said_goodbye : 1 = false;  // and was not met since: it has nothing to send again
    bool of_member : 1 = false;     // the address is that of a member of the cluster, which no configuration here names
    bool members_owed : 1 = false;  // it is to be told who votes now
    bool has_nothing : 1 = false;   // to send; see PeerTable::needs_asking()
    std::array<std::byte, kAddressBytesMax> address{};
};

// The peers of a node by slot: who they are and which path leads to them. Links, health and subscriptions of a peer
// live elsewhere under the same PeerIndex. Invariant: at most one slot in use has a given node.
class PeerTable {
  public:
    explicit PeerTable(std::span<PeerSlot> slots) : slots_(slots) {}

    [[nodiscard]] std::size_t capacity() const { return slots_.size(); }
    [[nodiscard]] PeerSlot& operator[](PeerIndex peer) { return slots_[peer.value()]; }
    [[nodiscard]] const PeerSlot& operator[](PeerIndex peer) const { return slots_[peer.value()]; }
    [[nodiscard]] bool in_use(PeerIndex peer) const { return slots_[peer.value()].in_use; }
    [[nodiscard]] std::span<const PeerSlot> slots() const { return slots_; }

    // kNoPeer where there is none. O(slots).
    [[nodiscard]] PeerIndex find(NodeId node) const;
    [[nodiscard]] PeerIndex find_unnamed(PathId path) const;  // a seed dialled over this path that has not answered yet
    [[nodiscard]] PeerIndex find_address(std::span<const std::byte> address) const;
    [[nodiscard]] PeerIndex find_dial(std::uint16_t dial_id) const;

    [[nodiscard]] bool any_free() const;

    // Who need not be asked for a packet: most of what an idle turn costs is to ask those who have nothing (docs/decisions/0027). Whoever
    // had nothing is noted, until something happens by which this one, or any, may have something.
    void note_nothing(PeerIndex peer) { slots_[peer.value()].has_nothing = true; }
    [[nodiscard]] bool needs_asking(PeerIndex peer) const { return !slots_[peer.value()].has_nothing; }
    void ask_again(PeerIndex peer) { slots_[peer.value()].has_nothing = false; }
    void ask_all_again() { all_to_be_asked_ = true; }  // O(1): begin_round() does it
    [[nodiscard]] bool all_to_be_asked() const { return all_to_be_asked_; }
    void begin_round();  // nobody is noted any more. O(slots)

    // A free slot, now in use; kNoPeer when the table is full.
    [[nodiscard]] PeerIndex take();
    void release(PeerIndex peer) { slots_[peer.value()] = PeerSlot{}; }
    // Gives the slot an address (1..64 bytes) to dial from `now` on, unless it is being dialled already.
    void set_address(Instant now, PeerIndex peer, std::span<const std::byte> address);

    // Dials it no longer; a path that is up stays.
    void forget_address(PeerIndex peer);

    // The next path to open.
    [[nodiscard]] std::optional<Dial> poll_dial(Instant now);
    // The transport could not open the path, or lost it: dials again after a pause of 0.1 s, doubling up to 10 s.
    void path_down(Instant now, PeerIndex peer);
    [[nodiscard]] Instant next_deadline() const;

  private:
    std::span<PeerSlot> slots_;
    std::uint16_t last_dial_id_ = 0;
    bool all_to_be_asked_ = true;
};

}  // namespace dunlin
