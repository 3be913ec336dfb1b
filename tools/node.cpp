#include "control_socket.hpp"
#include "event_log.hpp"
#include "hosted_node.hpp"
#include "node_config.hpp"
#include "rejoining.hpp"
#include "status_json.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"
#include "values.hpp"

#include <dunlin_asio/address.hpp>
#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace dunlin_tool {
namespace {

constexpr dunlin::Duration kTransportFiguresInterval = dunlin::seconds{1};

constexpr const char* kFooter = R"(The configuration, with its defaults (a key without one must be there):
  id = 1                     # 1..65535, unique in the cluster
  listen = "0.0.0.0:7001"    # UDP, host:port; no default either
  cluster = "dunlin"         # 1..32 bytes; nodes of another name never talk to this one
  role = "voter"             # or "member"
  journal = "node.journal"   # from `dunlin init` (one node, once) or `dunlin join` (the others); a member may go without
  ledger = "small"           # voter: as the cluster was made with; or "voter_min"
  seeds = ["10.0.0.2:7001"]  # whom to contact first; default: nobody
  rejoin = "10.0.0.1:7001"   # a voter whose journal is corrupt sets it aside and joins anew, reached at this address; default: it stops
  socket = "node.socket"     # Unix socket for `dunlin status`, `key` and `member`; default: none
  events = "node.jsonl"      # file that gets each event as a line of JSON; default: none
  loss = 0.0                 # share of packets to drop on sending, to see what happens
  [timing]                   # heartbeat_interval = "200ms", session_idle_timeout = "3s", raft_heartbeat = "100ms",
                             # election_timeout_min = "500ms", election_timeout_max = "1s", election_rank = 0 (0..3, 0 leads first),
                             # request_timeout = "5s", lease_guard = "5ms", clock_rate_bound_ppm = 1000

Exit status: 0 SIGTERM or SIGINT ended it, and it drained; 1 it failed while it ran, or a second signal ended it; 2 wrong command line
or configuration; 3 could not start (port or socket in use, unusable journal).)";

// The long-running node: tells people what happens on standard error and, where it is told to, programs in a file.
class NodeProcess {
  public:
    explicit NodeProcess(const NodeConfig& config) : config_(config), log_(make_log()), host_(checked(config.host)) {
        if (!config.events.empty()) events_.emplace(config.events);
        if (!config.socket.empty()) socket_.emplace(host_, config.socket);
        if (!config.rejoin.empty()) promote_when_added();
        host_.on_event([this](dunlin::Instant now, const dunlin::Event& event) { take_event(now, event); });
        log_->info("node {} of cluster '{}' listens at {}", config.host.id, config.host.cluster,
                   dunlin_asio::to_string(host_.udp().local_endpoint()));
        if (events_) write_transport_figures();
    }

    [[nodiscard]] ExitCode run() {
        const ExitCode code = host_.run();
        if (events_) events_->write(transport_line());
        if (code == kDone) log_->info("drained; goodbye");
        return code;
    }
    [[nodiscard]] bool journal_corrupt() const { return host_.node().failure() == dunlin::Status::corrupt; }

  private:
    static std::shared_ptr<spdlog::logger> make_log() {
        auto log = std::make_shared<spdlog::logger>("dunlin", std::make_shared<spdlog::sinks::stderr_sink_st>());
        log->set_pattern("%H:%M:%S.%e %v");
        return log;
    }
    static const HostSettings& checked(const HostSettings& settings) {
        std::error_code unusable;  // opening it says what is wrong
        if (!settings.journal.empty() && !std::filesystem::exists(settings.journal, unusable) && !unusable) {
            throw ToolError(kCannotStart,
                            "the journal '" + settings.journal + "' does not exist; make one with `dunlin init` or `dunlin join`.");
        }
        return settings;
    }

    // It was added anew with the journal that it has now.
    void promote_when_added() {
        const RejoinFile file(config_.host.journal);
        if (file.read() != RejoinPhase::promote) return;
        const dunlin::StorageId storage = storage_of(config_.host.journal);
        rejoining_.emplace(host_, file, RejoinRequests::Place{.id = config_.host.id, .storage = storage, .address = config_.rejoin},
                           RejoinPhase::done, true, [this] { log_->info("votes again, with a new journal"); });
    }

    void take_event(dunlin::Instant now, const dunlin::Event& event) {
        if (const std::optional<std::string> sentence = tell(event)) log_->info(*sentence);
        if (events_) events_->write(event_json(now, event));
        if (socket_) socket_->take_event(event);
        if (rejoining_) rejoining_->take_event(now, event);
    }

    [[nodiscard]] nlohmann::ordered_json transport_line() {
        nlohmann::ordered_json line{{"time_us", dunlin::to_us(dunlin_asio::boot_now().time_since_epoch())}, {"event", "transport"}};
        line.update(transport_json(host_.udp()));
        return line;
    }
    void write_transport_figures() {
        events_->write(transport_line());
        figures_timer_.set(dunlin_asio::boot_now() + kTransportFiguresInterval);
    }

    NodeConfig config_;
    std::shared_ptr<spdlog::logger> log_;
    HostedNode host_;
    std::optional<EventFile> events_;
    std::optional<ControlSocket> socket_;
    std::optional<RejoinRequests> rejoining_;
    dunlin_asio::BootTimer figures_timer_{host_.io(), [this] { write_transport_figures(); }};
};

// Where it has a corrupt journal, and was told to, it joins its cluster anew in place of what it was.
ExitCode run_node(const NodeConfig& config) {
    if (config.rejoin.empty()) return NodeProcess(config).run();
    const RejoinFile file(config.host.journal);
    // At its start a process before may have asked already, and "not found" is its answer; of a journal set aside here nobody has.
    for (bool asked_before = true;; asked_before = false) {
        if (file.read() == RejoinPhase::remove) set_journal_aside(config.host, file);
        if (file.read() < RejoinPhase::promote) {
            const ExitCode code = ask_for_place(config.host, config.rejoin, asked_before);
            if (code != kDone || file.read() < RejoinPhase::promote) return code;  // a signal ended it
        }
        NodeProcess process(config);
        const ExitCode code = process.run();
        if (code != kCannotStart || !process.journal_corrupt() || file.read() != RejoinPhase::done) return code;
        set_journal_aside(config.host, file);
    }
}

}  // namespace

void add_node(CLI::App& app, Action& action) {
    struct NodeArguments {
        std::string path;
        double loss = -1.0;  // below 0: as the configuration says
    };
    auto arguments = std::make_shared<NodeArguments>();
    CLI::App* const command = app.add_subcommand("node", "Run a node, a voter as a rule, until SIGTERM");
    command->add_option("-c,--config", arguments->path, "Configuration in TOML")->required();
    command->add_option("--loss", arguments->loss, "Share of packets to drop on sending, 0..1, instead of the configuration's")
        ->check(CLI::Range(0.0, 1.0));
    command->footer(kFooter);
    command->callback([&action, arguments] {
        action = [arguments] {
            NodeConfig config = read_node_config_file(arguments->path);
            if (arguments->loss >= 0.0) config.host.loss_ppm = *to_ppm(arguments->loss);
            return run_node(config);
        };
    });
}

}  // namespace dunlin_tool
