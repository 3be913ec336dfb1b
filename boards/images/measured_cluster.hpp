#pragma once

#include "instruction_timer.hpp"

#include <dunlin/node/node.hpp>
#include <dunlin/node/node_memory.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// Five nodes of one cluster in one image: three voters (voter_min) with their journals in RAM, and two members (micro) without one, joined
// by packets in memory on virtual time. A packet arrives, and an operation on the journal ends, in the instant in which it was sent or begun.
// Every call into a node is timed, and nothing else is: not the journal's device, not this file.
namespace measured {

inline constexpr std::size_t kVoters = 3;
inline constexpr std::size_t kStations = 5;
inline constexpr std::size_t kPublisher = 3;
inline constexpr std::size_t kSubscriber = 4;

// Ends the image with status 1 and that sentence, unless `condition`.
void require(bool condition, std::string_view what);

// A node, and what it has cost.
struct Station {
    dunlin::Node* node = nullptr;
    std::span<std::byte> device{};
    dunlin::Instant wake{};   // of its last turn
    bool called = false;      // into, since its last turn
    std::uint32_t ticks = 0;  // spent in its calls, and calls
    std::uint32_t calls = 0;  // so that their own timing can be taken off
    std::uint32_t received = 0;
    std::uint32_t outcomes = 0;
    std::uint32_t puts_done = 0;

    template <class Call>
    decltype(auto) timed(Call call) {
        const Timing timing(*this);
        return call();
    }
    // Instructions in calls since the last take(), without those that the timing itself takes.
    std::uint32_t take();

  private:
    struct Timing {
        explicit Timing(Station& of) : station(of), since(instruction_timer::now()) {}
        ~Timing() {
            station.ticks += instruction_timer::now() - since;
            ++station.calls;
        }
        Timing(const Timing&) = delete;
        Timing& operator=(const Timing&) = delete;
        Station& station;
        std::uint32_t since;
    };
};

extern std::array<Station, kStations> stations;
extern dunlin::Instant now;

// Founds the cluster and starts its nodes; time has not passed.
void start();
// One turn of a board's loop, all within the present instant: on_timeout() where it is due; the journal's operations, dials and events;
// the packets to send, each of which is handed to its receiver at once; next_deadline().
void turn(std::size_t station);
// Turns of all stations that were called into or are due, until there are none.
void settle();
// Lets time pass, from deadline to deadline.
void pass(dunlin::Duration time);
// Hands over what the station has to send in this instant; nothing else of a turn.
void transmit(std::size_t station);
// Takes all events of the station.
void take_events(std::size_t station);
void forget_costs();

}  // namespace measured
