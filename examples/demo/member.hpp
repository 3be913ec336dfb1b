#pragma once

#include <dunlin/core/event.hpp>
#include <dunlin/node/node_memory.hpp>

#include <dunlin_asio/host_loop.hpp>
#include <dunlin_asio/udp.hpp>

#include <asio/io_context.hpp>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

inline constexpr std::string_view kTelemetryTopic = "harbour/telemetry";
inline constexpr std::string_view kCraneTopic = "harbour/crane";
inline constexpr std::string_view kCraneLease = "crane";
inline constexpr std::uint16_t kSubscribers = 2;

// What a member of the demo has room for.
inline constexpr dunlin::Limits kMemberLimits{
    .peers = 12,
    .outbox_bytes = 256U << 10U,
    .outbox_messages = 1024,
    .deliveries = 2048,
    .inbox_bytes = 128U << 10U,
    .inbox_messages = 512,
    .packets_in_flight_per_peer = 32,
    .requests = 8,
    .events = 64,
    .journal_buffer_bytes = 0,
};

// A mechanism that this run does without, so that the checker can show that it would be missed.
enum class Broken : std::uint8_t { nothing, fencing, settlement, lease_guard };

// The command line of each member: ID LISTEN EVENTS BROKEN PEER...
struct Arguments {
    std::uint16_t id = 0;
    std::string listen;
    std::string events;
    Broken broken = Broken::nothing;
    std::vector<std::string> peers;
};
// Ends the process with a sentence where it is wrong.
[[nodiscard]] Arguments read_arguments(int argc, char** argv);

// The lines of JSON that this process leaves for the checker, each stamped with CLOCK_BOOTTIME. `fields` is what follows,
// such as R"("event":"accepted","sequence":7)".
class EventFile {
  public:
    explicit EventFile(const std::string& path);
    __attribute__((format(printf, 2, 3))) void write(const char* fields, ...);

  private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> file_;
};

// A member node of the cluster in this process, which loses 5 % of its packets.
class Member {
  public:
    explicit Member(const Arguments& arguments);

    [[nodiscard]] asio::io_context& io() { return io_; }
    [[nodiscard]] dunlin::Node& node() { return *node_; }
    [[nodiscard]] dunlin_asio::HostLoop& loop() { return *loop_; }
    [[nodiscard]] EventFile& events() { return events_; }
    // Runs until SIGTERM or loop().shutdown(); 0: everything was settled.
    [[nodiscard]] int run();

  private:
    EventFile events_;
    asio::io_context io_{1};
    std::vector<std::string_view> peers_;
    dunlin_asio::Udp udp_;
    std::unique_ptr<dunlin::NodeMemory<kMemberLimits>> memory_;
    dunlin::Node* node_ = nullptr;
    std::optional<dunlin_asio::HostLoop> loop_;
};

}  // namespace demo
