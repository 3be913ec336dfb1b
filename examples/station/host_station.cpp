// The station of a host: a process with a UDP socket and a journal file.
#include "line.hpp"
#include "machine.hpp"

#include <dunlin/core/counters.hpp>
#include <dunlin/journal/journal.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/file_device.hpp>
#include <dunlin_asio/format_file.hpp>
#include <dunlin_asio/host_error.hpp>
#include <dunlin_asio/host_loop.hpp>

#include <asio/io_context.hpp>

#include <array>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>

namespace station {

dunlin::Instant now() { return dunlin_asio::boot_now(); }

namespace machine {
namespace {

void print_to(std::FILE* file, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), file);
    if (text.ends_with('\n')) std::fflush(file);  // each line outlives the process
}

dunlin_asio::UdpOptions udp_options(const Settings& settings) {
    dunlin_asio::UdpOptions options;
    options.bind = settings.address;
    options.loss_ppm = settings.loss_ppm;
    options.loss_seed = dunlin_asio::random_nonzero_u64();
    return options;
}

dunlin_asio::FileDeviceOptions file_options(const Settings& settings) {
    dunlin_asio::FileDeviceOptions options;
    options.path = settings.journal;
    return options;
}

}  // namespace

void print(std::string_view text) { print_to(stdout, text); }
void print(std::uint64_t number) { std::printf("%" PRIu64, number); }
void print_error(std::string_view text) { print_to(stderr, text); }

bool has_storage(const Settings& settings) { return !settings.journal.empty() && !settings.without_journal(); }

std::uint64_t random_nonzero_u64() { return dunlin_asio::random_nonzero_u64(); }
bool has_entropy() { return true; }  // the kernel's

Ending live(const Settings& settings, const NodePlace& place, const Program& program) try {
    asio::io_context io(1);
    dunlin_asio::Udp udp(io, udp_options(settings));
    std::optional<dunlin_asio::FileDevice> journal;
    dunlin::Options options = options_of(settings);
    if (has_storage(settings)) {
        journal.emplace(io, file_options(settings));
        options.journal_bytes = journal->bytes();
    }
    dunlin::Node& node = place.emplace(options);
    dunlin_asio::HostLoop loop(io, node, udp, journal ? &*journal : nullptr);
    dunlin_asio::BootTimer alarm(io);
    loop.on_event([&](dunlin::Instant at, const dunlin::Event& event) { program.on_event(node, at, event); });
    loop.on_turn([&](dunlin::Instant at) { alarm.set_at_latest(program.on_turn(node, at)); });
    using HowLoopEnded = dunlin_asio::HostLoop::Ending;
    const HowLoopEnded ending = loop.run();
    if (ending == HowLoopEnded::failed && node.failure() != dunlin::Status::shutting_down)
        return {.opened = true, .status = node.failure()};
    if (ending != HowLoopEnded::drained) return {.opened = true, .status = dunlin::Status::timed_out};
    tell(now(), "drained");
    return {.opened = true};
} catch (const dunlin_asio::HostError& error) {
    complain({error.what()});
    return {};
}

dunlin::Status format(const Settings& settings, const dunlin::FormatPlan& plan) try {
    asio::io_context io(1);
    dunlin_asio::FileDevice file(io, file_options(settings));
    std::array<std::byte, dunlin::journal::kBufferBytesMin> buffer{};
    dunlin::Counters counters;
    dunlin::journal::Journal journal({buffer}, counters);
    dunlin::Formatter formatter(journal, plan);
    return dunlin_asio::format(io, file, formatter);
} catch (const dunlin_asio::HostError& error) {
    complain({error.what()});
    return dunlin::Status::device_error;
}

}  // namespace machine
}  // namespace station
