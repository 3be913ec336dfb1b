// The station of a board: its Ethernet, its storage and its console.
#include "line.hpp"
#include "machine.hpp"

#include <dunlin/journal/journal.hpp>

#include <cortex_m/board.hpp>
#include <dunlin_lwip/board_loop.hpp>
#include <dunlin_lwip/format_storage.hpp>
#include <dunlin_lwip/port.hpp>
#include <dunlin_lwip/udp.hpp>

#include <array>
#include <cstddef>
#include <optional>

namespace station {

dunlin::Instant now() { return dunlin_lwip::port::now(); }

namespace machine {
namespace {

std::optional<dunlin_lwip::Udp> udp;  // made in open_network(): what is made before main() lies in the flash, too

bool open_network(const Settings& settings) {
    dunlin_lwip::UdpOptions options;
    options.address = settings.address;
    options.netmask = settings.netmask;
    options.gateway = settings.gateway;
    options.loss_ppm = settings.loss_ppm;
    options.loss_seed = random_nonzero_u64();
    std::string_view reason;
    const dunlin::Status status = udp.emplace().open(options, reason);
    if (status != dunlin::Status::ok)
        complain({"the network cannot be opened: ", reason.empty() ? dunlin::to_string(status) : reason, "."});
    return status == dunlin::Status::ok;
}

}  // namespace

void print(std::string_view text) { board::print(text); }
void print(std::uint64_t number) { board::print(number); }
void print_error(std::string_view text) { board::print(text); }

bool has_storage(const Settings& settings) { return !settings.without_journal() && dunlin_lwip::port::storage().bytes != 0; }

std::uint64_t random_nonzero_u64() { return dunlin_lwip::port::random_nonzero_u64(); }

Ending live(const Settings& settings, const NodePlace& place, const Program& program) {
    if (!open_network(settings)) return {};
    dunlin::Options options = options_of(settings);
    if (has_storage(settings)) {
        const dunlin_lwip::port::Storage storage = dunlin_lwip::port::storage();
        options.journal_bytes = storage.bytes;
        options.journal_geometry = storage.geometry;
    }
    dunlin::Node& node = place.emplace(options);
    dunlin_lwip::BoardLoop loop(node, *udp);
    auto on_event = [&](dunlin::Instant at, const dunlin::Event& event) { program.on_event(node, at, event); };
    auto on_turn = [&](dunlin::Instant at) { return program.on_turn(node, at); };
    loop.on_event(dunlin::Callback<void(dunlin::Instant, const dunlin::Event&)>::of(on_event));
    loop.on_turn(dunlin::Callback<dunlin::Instant(dunlin::Instant)>::of(on_turn));
    static_cast<void>(loop.run());  // nobody stops it: it ends when the node fails
    udp->close();
    return {.opened = true, .status = loop.failure()};
}

dunlin::Status format(const Settings&, const dunlin::FormatPlan& plan) {
    std::array<std::byte, dunlin::journal::kBufferBytesMin> buffer;
    return dunlin_lwip::format_storage(plan, buffer);
}

}  // namespace machine
}  // namespace station
