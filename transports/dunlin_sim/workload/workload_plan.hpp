#pragma once

#include <dunlin_sim/workload/host.hpp>
#include <dunlin_sim/workload/key_client.hpp>
#include <dunlin_sim/workload/resend_client.hpp>

#include <dunlin/core/time.hpp>

#include <cstddef>
#include <cstdint>

namespace dunlin::sim {

// What handlers say, in percent of messages; the rest is accepted.
struct VerdictMix {
    std::uint32_t reject = 1;
    std::uint32_t pending = 3;  // and completed within pending_max
    std::uint32_t retry = 2;    // up to retries_max times, and then accepted
    std::uint32_t retries_max = 1;
    Duration pending_max = milliseconds{200};
};

// What the processes of a world do all day. Process i publishes under flow/i; the next process listens to it with a volatile
// subscription, the one after that with a durable one. Contenders take turns with the lease `valve`, and maybe with `pump`, and a
// holder publishes under its token to fenced subscribers, one with a journal and one without (and once more after it lost the lease,
// as one does who was paused between check and act). All publish effects under explicit keys, their own and each other's, to the first
// process and the last. One process puts a key, two get it; other keys are put and got by all.
struct WorkloadPlan {
    Duration publish_every = milliseconds{100};  // by each process; 0: nobody publishes
    std::uint32_t burst = 1;                     // publishes at a time
    std::uint32_t topics = 1;                    // that each process publishes under: flow/i, flow/i/1, ...
    std::size_t payload_bytes = 64;              // shorter is made 16
    std::uint32_t long_percent = 0;              // of the publishes are long_bytes long, as far as their node's limits allow
    std::size_t long_bytes = 2000;
    std::uint16_t packet_bytes_max = 1200;  // of who does not vote
    std::uint32_t limited_percent = 6;      // of the publishes have a lifetime
    Duration lifetime = milliseconds{300};
    std::uint32_t echo_percent = 0;  // of the messages make their handler publish one of its own
    bool overlap = false;            // the next process listens with a second, durable subscription, so that two share a lane
    bool late = false;               // who is back after a crash listens with its durable subscription only after a while
    bool positions = false;          // durable subscribers store their receive position with each effect
    Duration churn_every{};          // a process subscribes to all flows, or ends that; 0: never
    VerdictMix verdicts{};
    std::uint16_t voter_packet_bytes_max = 1200;
    std::uint8_t attempts_max = 250;  // Options::attempts_max of every node
    Duration lease_ttl = seconds{1};
    Duration lease_hold_max = milliseconds{1500};  // a contender keeps the lease for up to so long, and then pauses for as long
    bool second_lease = false;                     // `pump`
    std::size_t contenders = 2;                    // the last processes; 0: nobody wants the lease
    Duration key_every = seconds{1};               // the put, and each get; 0: none
    KeyClientPlan shared_keys{};
    ResendPlan resends{};
    bool lanes = false;           // publishes go in all lanes; else in the normal one
    bool mostly_urgent = false;   // of those
    Room room = Room::ample;      // of every node and of the ledger
    std::size_t more_voters = 0;  // than usual, as far as there are processes
    bool ranks = false;           // voters are not equal in elections
};

// Swarm testing of what applications do: another plan for each seed, from a generator of its own, so that it does not
// reshuffle the seed's faults. One seed in two has scarce room.
[[nodiscard]] WorkloadPlan draw_workload(std::uint64_t seed);

}  // namespace dunlin::sim
