#pragma once

#include "exit_code.hpp"
#include "host_limits.hpp"

#include <dunlin/core/event.hpp>
#include <dunlin/node/node.hpp>
#include <dunlin/node/options.hpp>

#include <dunlin_asio/file_device.hpp>
#include <dunlin_asio/host_loop.hpp>
#include <dunlin_asio/udp.hpp>

#include <asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin_tool {

// What a node of this command is told by its user.
struct HostSettings {
    std::uint16_t id = 0;
    std::string cluster = "dunlin";
    std::string listen = "0.0.0.0:0";
    std::vector<std::string> seeds;
    std::string journal;        // path; empty: none
    bool make_journal = false;  // a journal that does not exist is made (members only)
    NodeKind kind = NodeKind::member;
    std::uint32_t loss_ppm = 0;     // injected
    bool stop_on_signals = true;    // SIGTERM and SIGINT drain it
    bool stop_on_conflict = false;  // another live process of this id ends it
    dunlin::Options timing{};       // of it only the intervals, timeouts and clock bounds count
};

// A node in its memory, with its socket, its journal file and its loop. It stays where it was made.
class HostedNode {
  public:
    // Opens everything. Throws HostError or ToolError.
    explicit HostedNode(const HostSettings& settings);
    HostedNode(const HostedNode&) = delete;
    HostedNode& operator=(const HostedNode&) = delete;

    [[nodiscard]] const HostSettings& settings() const { return settings_; }
    [[nodiscard]] asio::io_context& io() { return io_; }
    [[nodiscard]] dunlin::Node& node() { return *node_; }
    [[nodiscard]] const dunlin::Node& node() const { return *node_; }
    [[nodiscard]] dunlin_asio::HostLoop& loop() { return *loop_; }
    [[nodiscard]] dunlin_asio::Udp& udp() { return *udp_; }
    [[nodiscard]] const dunlin_asio::Udp& udp() const { return *udp_; }
    [[nodiscard]] bool made_journal() const { return made_journal_; }  // there was none
    [[nodiscard]] dunlin_asio::FileDevice* journal() { return journal_ ? &*journal_ : nullptr; }
    void on_event(std::function<void(dunlin::Instant, const dunlin::Event&)> handler) { on_event_ = std::move(handler); }

    // Runs until a signal or loop().shutdown() has drained it. kDone, or an error that was told on standard error.
    [[nodiscard]] ExitCode run();

  private:
    void take_event(dunlin::Instant now, const dunlin::Event& event);
    [[nodiscard]] dunlin::Options node_options() const;
    [[nodiscard]] std::string why_journal_failed(dunlin::Status status) const;

    HostSettings settings_;
    std::vector<std::string_view> seeds_;
    asio::io_context io_{1};
    std::optional<dunlin_asio::Udp> udp_;
    std::optional<dunlin_asio::FileDevice> journal_;
    bool made_journal_ = false;
    std::shared_ptr<void> memory_;
    dunlin::Node* node_ = nullptr;
    std::optional<dunlin_asio::HostLoop> loop_;
    std::function<void(dunlin::Instant, const dunlin::Event&)> on_event_;
    dunlin::NodeId conflict_told_by_{};  // 0: nobody else uses this id
    bool started_ = false;
};

}  // namespace dunlin_tool
