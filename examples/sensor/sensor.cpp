// A sensor: measures ten times a second and publishes what it measured, but only while it holds the lease `sampling`. Several of them may
// run: one measures, the others stand by, and one of those takes over when it fails.
//
//     example_sensor id=12 cluster=plant address=127.0.0.1:7012 seeds=127.0.0.1:7001,127.0.0.1:7013 journal=sensor.journal
//
// `seeds` names a voter of the cluster, for the lease, and the actuator, for the telemetry: messages go there straight. With a journal what it
// has published survives its restart: it is sent until the actuator has it, and the numbers go on. The same source is sensor.elf on a board.
#include "../station/station.hpp"
#include "sampling.hpp"

#include <dunlin/node/node_memory.hpp>

namespace {

using namespace dunlin;

// A member on a board, with room for five voters or fewer, and the actuator.
constexpr Limits kLimits = [] {
    Limits limits = limits::micro;
    limits.peers = 6;
    limits.journal_buffer_bytes = 768;
    limits.events = 24;  // news of all peers at once, after a long pause
    return limits;
}();

// All memory of the node; sizeof is the whole bill.
NodeMemory<kLimits> memory;

plant::Sensor sensor;

}  // namespace

int main(int argc, char** argv) { return station::run(argc, argv, memory, sensor); }
