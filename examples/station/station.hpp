#pragma once

#include <dunlin/core/callback.hpp>
#include <dunlin/core/event.hpp>
#include <dunlin/core/limits.hpp>
#include <dunlin/core/time.hpp>
#include <dunlin/node/node_memory.hpp>
#include <dunlin/node/options.hpp>

#include <machine_memory.hpp>

// What lets one source run on a host and on every board: it opens the network and the storage of the machine that it was built for, and drives
// the node between them. The node's life is printed as lines (line.hpp); the settings come as words (settings.hpp).
namespace station {

// The clock that the node lives on.
[[nodiscard]] dunlin::Instant now();

// The program that runs beside the node. Both may call the node's bus and coordination calls.
struct Program {
    // From Event::started on.
    dunlin::Callback<void(dunlin::Node& node, dunlin::Instant now, const dunlin::Event& event)> on_event;
    // Once in each turn of the loop, from Event::started on, before packets leave. Returns when it wants to be called next at the latest;
    // kNever: when something happens.
    dunlin::Callback<dunlin::Instant(dunlin::Node& node, dunlin::Instant now)> on_turn;
};

// Where the node is made.
struct NodePlace {
    dunlin::Callback<dunlin::Node&(const dunlin::Options& options)> emplace;
    bool votes = false;
};

// Exit statuses, the same as those of the `dunlin` command.
inline constexpr int kDone = 0;         // asked to stop (a host's SIGTERM), and drained
inline constexpr int kFailed = 1;       // the node failed
inline constexpr int kUsage = 2;        // a wrong setting
inline constexpr int kCannotStart = 3;  // no such address, an unusable journal

// Runs a node until it ends, which on a board may be never, and says why it did. A storage that is blank gets a new journal first, as `dunlin
// join` makes it; a journal that is corrupt or somebody else's stays as it is. With a journal the line `started` has the entry
// ID:STORAGE@ADDRESS, by which `dunlin init --voter` and `dunlin member add` know this node.
[[nodiscard]] int run(int argc, const char* const* argv, const NodePlace& place, const Program& program);

// The same for a class with the two members of Program.
template <dunlin::Limits L, class P>
[[nodiscard]] int run(int argc, const char* const* argv, dunlin::NodeMemory<L>& memory, P& program) {
    static_assert(fits_machine<L>());
    Program calls;
    calls.on_event = {[](void* self, dunlin::Node& node, dunlin::Instant now, const dunlin::Event& event) {
                          static_cast<P*>(self)->on_event(node, now, event);
                      },
                      &program};
    calls.on_turn = {[](void* self, dunlin::Node& node, dunlin::Instant now) { return static_cast<P*>(self)->on_turn(node, now); },
                     &program};
    NodePlace place;
    place.emplace = {[](void* self, const dunlin::Options& options) -> dunlin::Node& {
                         return static_cast<dunlin::NodeMemory<L>*>(self)->emplace(options);
                     },
                     &memory};
    place.votes = L.voter;
    return run(argc, argv, place, calls);
}

}  // namespace station
