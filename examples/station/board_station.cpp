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

namespace station {

dunlin::Instant now() { return dunlin_lwip::port::now(); }

namespace machine {
namespace {

dunlin_lwip::Udp udp;

bool open_network(const Settings& settings) {
    dunlin_lwip::UdpOptions options;
    options.address = settings.address;
    options.netmask = settings.netmask;
    options.gateway = settings.gateway;
    options.loss_ppm = settings.loss_ppm;
    options.loss_seed = random_nonzero_u64();
    std::string_view reason;
    const dunlin::Status status = udp.open(options, reason);
    if (status != dunlin::Status::ok)
        complain({"the network cannot be opened: ", reason.empty() ? dunlin::to_string(status) : reason, "."});
    return status == dunlin::Status::ok;
}

// Tells how much of the stack was ever used, when that has grown.
class StackWatch {
  public:
    void look(dunlin::Instant at) {
        if (at < next_look_) return;
        next_look_ = at + kInterval;
        const std::size_t used = board::stack_used();
        if (used <= told_) return;
        told_ = used;
        tell(at, "stack", {{"used", used}, {"of", board::stack_bytes()}});
    }

  private:
    static constexpr dunlin::Duration kInterval = dunlin::seconds{1};  // a look costs a word of stack that was never used each

    dunlin::Instant next_look_{};
    std::size_t told_ = 0;
};

}  // namespace

void print(std::string_view text) { board::print(text); }
void print(std::uint64_t number) { board::print(number); }
void print_error(std::string_view text) { board::print(text); }

bool has_storage(const Settings& settings) { return !settings.without_journal() && dunlin_lwip::port::storage().bytes != 0; }

std::uint64_t random_nonzero_u64() { return dunlin_lwip::port::random_nonzero_u64(); }
bool has_entropy() { return dunlin_lwip::port::has_entropy(); }

Ending live(const Settings& settings, const NodePlace& place, const Program& program) {
    if (!settings.without_journal() && !has_storage(settings)) {
        complain({"the storage is missing, or fails (journal=none goes on without)."});
        return {};
    }
    if (!open_network(settings)) return {};
    dunlin::Options options = options_of(settings);
    if (has_storage(settings)) {
        const dunlin_lwip::port::Storage storage = dunlin_lwip::port::storage();
        options.journal_bytes = storage.bytes;
        options.journal_geometry = storage.geometry;
    }
    dunlin::Node& node = place.emplace(options);
    dunlin_lwip::BoardLoop loop(node, udp);
    auto on_event = [&](dunlin::Instant at, const dunlin::Event& event) { program.on_event(node, at, event); };
    StackWatch stack;
    auto on_turn = [&](dunlin::Instant at) {
        stack.look(at);
        return program.on_turn(node, at);
    };
    loop.on_event(dunlin::Callback<void(dunlin::Instant, const dunlin::Event&)>::of(on_event));
    loop.on_turn(dunlin::Callback<dunlin::Instant(dunlin::Instant)>::of(on_turn));
    static_cast<void>(loop.run());  // nobody stops it: it ends when the node fails
    udp.close();
    return {.opened = true, .status = loop.failure()};
}

dunlin::Status format(const Settings&, const dunlin::FormatPlan& plan) {
    std::array<std::byte, dunlin::journal::kBufferBytesMin> buffer;
    return dunlin_lwip::format_storage(plan, buffer);
}

}  // namespace machine
}  // namespace station
