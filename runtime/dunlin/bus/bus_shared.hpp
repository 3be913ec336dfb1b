#pragma once

#include <dunlin/bus/bus_peer.hpp>
#include <dunlin/bus/key_times.hpp>
#include <dunlin/core/callback.hpp>
#include <dunlin/core/counters.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/ids.hpp>
#include <dunlin/core/random.hpp>
#include <dunlin/journal/journal.hpp>
#include <dunlin/link/link.hpp>
#include <dunlin/link/outbox.hpp>

#include <cstddef>
#include <span>

namespace dunlin::bus {

// The rest of the node, as the bus sees it. Everything outlives the bus.
struct BusShared {
    link::Outbox& outbox;
    Callback<link::Link*(PeerIndex)> links{};   // the link of a peer slot; null: the slot is free
    Callback<PeerIndex(NodeId)> assign_peer{};  // recovery: the slot of this node, made where there is none; kNoPeer: no room
    journal::Journal* journal = nullptr;        // null: nothing survives a restart
    Counters& counters;
    EventQueue& events;
    Random& random;
    std::span<BusPeer> peers{};  // one a peer slot; Bus has them from its storage
    std::size_t message_bytes_max = 0;
    KeyTimes key_times{};
};

}  // namespace dunlin::bus
