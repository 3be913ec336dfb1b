#pragma once

#include <dunlin/node/node_memory.hpp>
#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/host_loop.hpp>

#include <asio/io_context.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asio_test {

// A member with room for many packets under way.
inline constexpr dunlin::Limits kHostLimits{
    .payload_block_bytes = 256,
    .outbox_bytes = 64 * 1024,
    .outbox_messages = 64,
    .inbox_bytes = 64 * 1024,
    .inbox_messages = 64,
    .packets_in_flight_per_peer = 32,
};

// A member node on loopback with everything that it needs, for one run.
struct Host {
    struct Settings {
        std::uint16_t id = 1;
        std::string seed{};     // the other's address
        std::string journal{};  // path; empty: none
        std::uint32_t loss_ppm = 0;
        dunlin_asio::HostLoopOptions loop{.stop_on_signals = false};
    };
    explicit Host(const Settings& settings)
        : seed_text(settings.seed), udp(io, {.bind = "127.0.0.1:0", .loss_ppm = settings.loss_ppm, .loss_seed = settings.id}) {
        dunlin::Options options;
        options.id = dunlin::NodeId{settings.id};
        options.instance = dunlin::InstanceId{dunlin_asio::random_nonzero_u64()};
        options.seed = settings.id;
        seeds = {seed_text};
        if (!seed_text.empty()) options.seeds = seeds;
        if (!settings.journal.empty()) {
            journal.emplace(io, dunlin_asio::FileDeviceOptions{.path = settings.journal, .bytes = 256U << 10});
            options.journal_bytes = journal->bytes();
        }
        node = &memory.emplace(options);
        loop.emplace(io, *node, udp, journal ? &*journal : nullptr, settings.loop);
    }
    [[nodiscard]] std::string address() const { return dunlin_asio::to_string(udp.local_endpoint()); }

    std::string seed_text;
    std::array<std::string_view, 1> seeds;
    asio::io_context io{1};
    dunlin_asio::Udp udp;
    std::optional<dunlin_asio::FileDevice> journal;
    dunlin::NodeMemory<kHostLimits> memory;
    dunlin::Node* node = nullptr;
    std::optional<dunlin_asio::HostLoop> loop;
};

}  // namespace asio_test
