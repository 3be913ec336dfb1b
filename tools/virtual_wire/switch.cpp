#include "subcommands.hpp"

#include "commands.hpp"
#include "frame_socket.hpp"
#include "pcap_file.hpp"
#include "settings_text.hpp"
#include "wire.hpp"

#include "line_source.hpp"
#include "tool_error.hpp"

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/readiness_wait.hpp>
#include <dunlin_asio/stop_signals.hpp>

#include <algorithm>
#include <asio/io_context.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dunlin_wire {
namespace {

using dunlin_tool::kUsage;
using dunlin_tool::ToolError;

constexpr const char* kFooter =
    "PATH is where the station at the port has its socket; the switch has PATH.wire. A QEMU guest:\n"
    "  -netdev dgram,id=n,local.type=unix,local.path=PATH,remote.type=unix,remote.path=PATH.wire -net nic,netdev=n\n"
    "A station may come, go and come again. First the switch prints a line when it is ready. Then it obeys lines on standard input,\n"
    "each answered with one line: ok, or wrong: and a sentence.\n"
    "  partition A | B C    isolate A    join A    heal    loss PPM    duplicate PPM    delay A..B    figures    quit\n"
    "quit, the end of standard input, SIGTERM and SIGINT end it with the line of figures (wire: frames=... delivered=...).";

struct Options {
    std::vector<std::string> ports;
    std::string loss = "0";
    std::string duplicate = "0";
    std::string delay = "0";
    std::string pcap;
    std::uint64_t seed = 1;
    bool reorder = false;
};

struct PortOption {
    std::string name;
    std::string path;
};

PortOption read_port(const std::string& text) {
    const std::size_t middle = text.find('=');
    const std::string name = text.substr(0, middle);
    const bool good =
        middle != std::string::npos && middle + 1 < text.size() && !name.empty() && name.find_first_of(" \t\r\n|") == std::string::npos;
    if (!good) throw ToolError(kUsage, "--port '" + text + "' must be NAME=PATH; a name has no spaces and no bars.");
    return {name, text.substr(middle + 1)};
}

std::vector<PortOption> read_ports(const std::vector<std::string>& texts) {
    if (texts.size() > kPortsMax) throw ToolError(kUsage, "there may be " + std::to_string(kPortsMax) + " ports at most.");
    std::vector<PortOption> ports;
    for (const std::string& text : texts) {
        const PortOption port = read_port(text);
        const auto same =
            std::ranges::find_if(ports, [&port](const PortOption& each) { return each.name == port.name || each.path == port.path; });
        if (same != ports.end()) throw ToolError(kUsage, "--port '" + text + "' has the name or the path of another port.");
        ports.push_back(port);
    }
    return ports;
}

ImpairmentSettings read_impairment(const Options& options) {
    const auto loss = read_share(options.loss);
    if (!loss) throw ToolError(kUsage, "--loss '" + options.loss + "' must be " + kShareForm + ".");
    const auto duplicate = read_share(options.duplicate);
    if (!duplicate) throw ToolError(kUsage, "--duplicate '" + options.duplicate + "' must be " + kShareForm + ".");
    const auto delay = read_delay(options.delay);
    if (!delay) throw ToolError(kUsage, "--delay-us '" + options.delay + "' must be " + kDelayForm + ".");
    return {.loss_ppm = *loss, .duplicate_ppm = *duplicate, .delay_min = delay->first, .delay_max = delay->second};
}

std::vector<std::string> names_of(const std::vector<PortOption>& ports) {
    std::vector<std::string> names;
    names.reserve(ports.size());
    for (const PortOption& each : ports) names.push_back(each.name);
    return names;
}

void print_line(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

// The wire with its sockets, its clock and whoever commands it.
class Switch {
  public:
    explicit Switch(const Options& options) : Switch(options, read_ports(options.ports)) {}

    int run() {
        print_line("wire: ready, ports=" + std::to_string(ports_.size()) + " seed=" + std::to_string(seed_));
        for (turn(); !ended_ && stop_signals_.count() == 0; turn()) io_.run_one();
        print_line(to_line(wire_.figures()));
        return dunlin_tool::kDone;
    }

  private:
    static constexpr std::size_t kCommandBytesMax = 4096;
    static constexpr int kFramesATurn = 64;  // of one port, so that none waits for long for the others

    struct Port {
        Port(asio::io_context& io, const std::string& path) : socket(io, path + ".wire", path) {}
        FrameSocket socket;
        dunlin_asio::ReadinessWait readable;
    };

    Switch(const Options& options, const std::vector<PortOption>& ports)
        : seed_(options.seed), wire_(ports.size(), options.seed), commands_(wire_, names_of(ports)) {
        wire_.impairment() = read_impairment(options);
        if (options.reorder) wire_.allow_reordering();
        if (!options.pcap.empty()) pcap_.emplace(options.pcap, dunlin_asio::boot_now());
        for (const PortOption& each : ports) {
            ports_.push_back(std::make_unique<Port>(io_, each.path));
            ports_.back()->readable.arm(ports_.back()->socket.socket(), asio::socket_base::wait_read);
        }
    }

    void turn() {
        const dunlin::Instant now = dunlin_asio::boot_now();
        for (std::size_t port = 0; port < ports_.size(); ++port) take_frames(now, port_at(port));
        obey();
        wire_.deliver(now, [this, now](PortIndex to, FrameBytes frame) { return offer(now, to, frame); });
        if (pcap_) pcap_->flush();
        timer_.set(wire_.next_deadline());
    }

    void take_frames(dunlin::Instant now, PortIndex index) {
        Port& port = *ports_[index.value()];
        if (!port.readable.ready()) return;
        for (int i = 0; i < kFramesATurn; ++i) {
            const std::optional<FrameBytes> frame = port.socket.receive();
            if (!frame) break;
            wire_.receive(now, index, *frame);
        }
        port.readable.arm(port.socket.socket(), asio::socket_base::wait_read);
    }

    void obey() {
        while (const auto line = lines_.peek()) {
            const Commands::Answer answer = commands_.obey(*line);
            lines_.take();
            ended_ = answer.quits;
            if (ended_) return;  // run() prints the figures
            print_line(answer.line);
        }
        ended_ = lines_.at_end();
    }

    Handover offer(dunlin::Instant now, PortIndex to, FrameBytes frame) {
        const Handover result = ports_[to.value()]->socket.send(frame);
        if (result == Handover::taken && pcap_) pcap_->record(now, frame);
        return result;
    }

    asio::io_context io_{1};
    std::uint64_t seed_;
    Wire wire_;
    Commands commands_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::optional<PcapFile> pcap_;
    dunlin_asio::BootTimer timer_{io_};
    dunlin_asio::StopSignals stop_signals_{io_};
    dunlin_tool::LineSource lines_{io_, "", 0, kCommandBytesMax};
    bool ended_ = false;
};

}  // namespace

void add_switch(CLI::App& app, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App& command =
        *app.add_subcommand("switch", "Joins stations like an Ethernet switch, with loss, delay, duplicates and partitions");
    command.add_option("--port", options->ports, "NAME=PATH, once for each port")->required();
    command.add_option("--loss", options->loss, "Frames to lose, in parts per million of each way from port to port")
        ->capture_default_str();
    command.add_option("--duplicate", options->duplicate, "Frames to deliver twice, in parts per million")->capture_default_str();
    command.add_option("--delay-us", options->delay, "A..B: each frame waits so long, in microseconds")->capture_default_str();
    command.add_flag("--reorder", options->reorder,
                     "Let frames overtake each other where their delays differ; else each way keeps its order");
    command.add_option("--seed", options->seed, "The same seed draws the same for the n-th frame of each way")->capture_default_str();
    command.add_option("--pcap", options->pcap, "Record in this file what is delivered");
    command.footer(kFooter);
    command.callback([options, &action] { action = [options] { return Switch(*options).run(); }; });
}

}  // namespace dunlin_wire
