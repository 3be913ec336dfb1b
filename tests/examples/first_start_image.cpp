// A voter's first start on a board whose random numbers may repeat, with a storage that is blank: by itself it makes no journal; with
// format=yes it does. It is run without a semihosting host: a host's random device would make the numbers unique.
#include "../../examples/station/station.hpp"

#include <cortex_m/board.hpp>

#include <dunlin/node/node_memory.hpp>

namespace {

using namespace dunlin;

NodeMemory<limits::voter_min> memory;

struct Voter {
    void on_event(Node&, Instant, const Event& event) {
        if (event.kind == EventKind::started) board::finish(0);
    }
    Instant on_turn(Node&, Instant) { return kNever; }
};

Voter voter;

}  // namespace

int main() {
    const char* const words[] = {"voter", "id=3", "address=10.9.0.3:7000", "format=yes"};
    if (station::run(3, words, memory, voter) != station::kCannotStart) return 1;
    board::print("and now it is told to:\n");
    return station::run(4, words, memory, voter);
}
