#include "subcommands.hpp"

#include "frame_socket.hpp"
#include "network_namespace.hpp"
#include "tap_device.hpp"

#include "leased_process.hpp"
#include "tool_error.hpp"

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/readiness_wait.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/network_v4.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace dunlin_wire {
namespace {

using dunlin_tool::kUsage;
using dunlin_tool::ToolError;

constexpr const char* kFooter =
    "The network card wire0 of COMMAND's own network has the address; what is sent there goes to the port of `dunlin_wire switch`\n"
    "that was given --port NAME=SOCKET, and back. Signals (SIGTERM, SIGINT, SIGHUP) go to COMMAND. Nothing of COMMAND outlives this\n"
    "program, even where it is killed. It needs /dev/net/tun, and root or user namespaces.\n"
    "Exit status: COMMAND's, 128 + N where signal N ended it, 126 or 127 where it cannot be run; 2 wrong command line; 3 could not start.";

constexpr unsigned kMtuMin = 68;  // RFC 791

struct Options {
    std::string socket;
    std::string wire;
    std::string address;
    std::string mac;
    unsigned mtu = 1500;
    std::vector<std::string> command;
};

TapSettings read_settings(const Options& options) {
    std::error_code error;
    const asio::ip::network_v4 address = asio::ip::make_network_v4(options.address, error);
    if (error) throw ToolError(kUsage, "--address '" + options.address + "' must be an IPv4 address and its prefix, such as 10.9.0.1/24.");
    const auto mac = options.mac.empty() ? mac_address_for(address.address().to_uint()) : read_mac_address(options.mac);
    if (!mac || is_group(*mac)) {
        throw ToolError(kUsage, "--mac '" + options.mac + "' must be the address of one station, such as 02:00:0a:09:00:01.");
    }
    if (options.mtu < kMtuMin || options.mtu > kMtuMax) {
        throw ToolError(kUsage, "--mtu must be " + std::to_string(kMtuMin) + " to " + std::to_string(kMtuMax) + ".");
    }
    return {.address = address, .mac = *mac, .mtu = options.mtu};
}

// Carries frames both ways for as long as the command runs.
class Tap {
  public:
    explicit Tap(const Options& options) : Tap(options, read_settings(options)) {}

    int run() {
        process_.start(command_, {}, dunlin::kNever);
        while (!end_) {
            turn();
            io_.run_one();
            end_ = process_.take_end();
        }
        send_the_last_frames();
        return dunlin_tool::status_of_end(*end_);
    }

  private:
    static constexpr int kFramesATurn = 64;

    Tap(const Options& options, const TapSettings& settings)
        : command_(options.command),
          io_((enter_own_network(), 1)),
          card_(io_, settings),
          socket_(io_, options.socket, options.wire.empty() ? options.socket + ".wire" : options.wire),
          child_signal_(io_, SIGCHLD),
          passed_on_(io_, SIGTERM, SIGINT, SIGHUP) {
        watch_child();
        pass_signals_on();
        card_sends_.arm(card_.descriptor(), asio::posix::stream_descriptor::wait_read);
        wire_sends_.arm(socket_.socket(), asio::socket_base::wait_read);
    }

    void turn() {
        if (card_sends_.ready() && send_frames()) card_sends_.arm(card_.descriptor(), asio::posix::stream_descriptor::wait_read);
        if (!wire_sends_.ready()) return;
        for (int i = 0; i < kFramesATurn; ++i) {
            const std::optional<FrameBytes> frame = socket_.receive();
            if (!frame) break;
            card_.send(*frame);
        }
        wire_sends_.arm(socket_.socket(), asio::socket_base::wait_read);
    }

    enum class Step : std::uint8_t { sent, nothing, behind };

    // One frame from the card to the wire. Where the wire is behind it waits here, and what follows it in the card, whose queue the kernel
    // bounds.
    Step send_frame() {
        if (!unsent_) unsent_ = card_.receive();
        if (!unsent_) return Step::nothing;
        if (socket_.send(*unsent_) == Handover::full) return Step::behind;
        unsent_.reset();
        return Step::sent;
    }

    // False: the wire is behind.
    bool send_frames() {
        for (int i = 0; i < kFramesATurn; ++i) {
            const Step step = send_frame();
            if (step == Step::nothing) return true;
            if (step == Step::sent) continue;
            retry_.set(dunlin_asio::boot_now() + Wire::kRetryAfter);
            return false;
        }
        return true;
    }

    // What the command sent before it ended is in the card; that queue has 1,000 frames. A wire that is behind for long loses them.
    void send_the_last_frames() {
        static constexpr int kStepsMax = 4096;
        for (int i = 0; i < kStepsMax; ++i) {
            const Step step = send_frame();
            if (step == Step::nothing) return;
            if (step == Step::behind) std::this_thread::sleep_for(Wire::kRetryAfter);
        }
    }

    void watch_child() {
        child_signal_.async_wait([this](const std::error_code& error, int) {
            if (!error) watch_child();
        });
    }

    void pass_signals_on() {
        passed_on_.async_wait([this](const std::error_code& error, int signal) {
            if (error) return;
            process_.send(signal);
            pass_signals_on();
        });
    }

    std::vector<std::string> command_;
    dunlin_tool::LeasedProcess process_;  // forks its guard before there is anything else
    asio::io_context io_;
    TapDevice card_;
    FrameSocket socket_;
    asio::signal_set child_signal_;
    asio::signal_set passed_on_;
    dunlin_asio::ReadinessWait card_sends_;
    dunlin_asio::ReadinessWait wire_sends_;
    dunlin_asio::BootTimer retry_{io_};
    std::optional<FrameBytes> unsent_;
    std::optional<int> end_;
};

}  // namespace

void add_tap(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("tap", "Runs a command in a network of its own that is plugged into a switch");
    command.add_option("COMMAND", options->command, "Command and its arguments, after --")->required();
    command.add_option("--socket", options->socket, "Path of this end's socket, as the switch's --port has it")->required();
    command.add_option("--wire", options->wire, "Path of the switch's socket (default: SOCKET.wire)");
    command.add_option("--address", options->address, "IPv4 address and prefix, such as 10.9.0.1/24")->required();
    command.add_option("--mac", options->mac, "MAC address (default: 02:00 and the four bytes of the IPv4 address)");
    command.add_option("--mtu", options->mtu, "The longest IP packet, in bytes")->capture_default_str();
    command.footer(kFooter);
    command.callback([options, &action] { action = [options] { return Tap(*options).run(); }; });
}

}  // namespace dunlin_wire
