#include "wait_notice.hpp"

#include <dunlin_asio/address.hpp>
#include <dunlin_asio/boot_clock.hpp>

#include <cstdio>
#include <utility>

namespace dunlin_tool {
namespace {

constexpr dunlin::Duration kLookInterval = dunlin::milliseconds{500};
constexpr int kLooksBeforeTold = 6;

}  // namespace

WaitNotice::WaitNotice(asio::io_context& io, std::function<std::string()> reason)
    : reason_(std::move(reason)), timer_(io, [this] { look(); }) {
    timer_.set(dunlin_asio::boot_now() + kLookInterval);
}

void WaitNotice::look() {
    timer_.set(dunlin_asio::boot_now() + kLookInterval);
    std::string reason = reason_();
    if (reason != seen_) {
        seen_ = std::move(reason);
        looks_ = 0;
    }
    if (seen_.empty()) {
        if (told_) std::fprintf(stderr, "dunlin: going on.\n");
        told_ = false;
        return;
    }
    if (looks_ >= kLooksBeforeTold || ++looks_ < kLooksBeforeTold) return;
    std::fprintf(stderr, "dunlin: waiting: %s.\n", seen_.c_str());
    told_ = true;
}

std::string why_alone(const HostedNode& host, std::string_view awaited) {
    if (host.node().status(dunlin_asio::boot_now()).sessions_open != 0) return {};
    const std::vector<std::string>& peers = host.settings().seeds;
    if (peers.empty())
        return "no " + std::string(awaited) + " has connected to " + dunlin_asio::to_string(host.udp().local_endpoint()) + " yet";
    std::string addresses;
    for (const std::string& peer : peers) addresses += (addresses.empty() ? "" : ", ") + peer;
    return (peers.size() == 1 ? "no answer from the peer " : "no answer from any of the peers ") + addresses + " yet (no session)";
}

}  // namespace dunlin_tool
