// A host of the boards' cluster test: it votes, and stands by as a sensor, which takes the lease when the board that holds it is killed.
#include "../../examples/sensor/sampling.hpp"
#include "../../examples/station/station.hpp"

#include <dunlin/node/node_memory.hpp>

namespace {

using namespace dunlin;

// A voter whose ledger is that of the boards, and whose journal `dunlin join` has made.
constexpr Limits kLimits = [] {
    Limits limits = limits::small;
    limits.ledger = limits::voter_min.ledger;
    limits.journal_buffer_bytes = 65'536;
    return limits;
}();

NodeMemory<kLimits> memory;
plant::Sensor sensor;

}  // namespace

int main(int argc, char** argv) { return station::run(argc, argv, memory, sensor); }
