// The node of the README: a member that subscribes and holds a lease. `first_node` needs a cluster at 127.0.0.1:7001.
#include <dunlin/node/node_memory.hpp>
#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/host_error.hpp>
#include <dunlin_asio/host_loop.hpp>

#include <cstdio>

static dunlin::NodeMemory<dunlin::limits::micro> arena;  // sizeof(arena) is the whole bill

int main() try {
    asio::io_context io;
    dunlin_asio::Udp udp(io, {.bind = "127.0.0.1:7010"});

    const std::string_view seeds[] = {"127.0.0.1:7001"};  // any node of the cluster
    dunlin::Options options;
    options.id = dunlin::NodeId{10};
    options.cluster = "plant";
    options.seeds = seeds;
    options.instance = dunlin::InstanceId{dunlin_asio::random_nonzero_u64()};
    options.seed = dunlin_asio::random_nonzero_u64();
    dunlin::Node& node = arena.emplace(options);

    const auto on_valve = [](void*, const dunlin::bus::Message& message) {
        return message.payload.empty() ? dunlin::bus::Verdict::reject : dunlin::bus::Verdict::accept;
    };
    if (!node.subscribe("valve/+", {on_valve, nullptr}).ok()) return 1;

    dunlin_asio::HostLoop loop(io, node, udp, nullptr, {});
    loop.on_event([&](dunlin::Instant now, const dunlin::Event& event) {
        if (event.kind == dunlin::EventKind::started) (void)node.acquire_lease(now, "valve", std::chrono::seconds{5});
    });
    return loop.run() == dunlin_asio::HostLoop::Ending::drained ? 0 : 1;
} catch (const dunlin_asio::HostError& error) {  // such as a port in use
    std::fprintf(stderr, "first_node: %s\n", error.what());
    return 1;
}
