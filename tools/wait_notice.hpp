#pragma once

#include "hosted_node.hpp"

#include <dunlin_asio/boot_timer.hpp>

#include <functional>
#include <string>

namespace dunlin_tool {

// Says on standard error why a command waits, once it has waited for the same reason for three seconds; again only where the
// reason is another one, or where the command had gone on in between. Where it has said so, it says also that the command goes on.
class WaitNotice {
  public:
    // `reason` gives a sentence without its full stop; an empty one: the command does not wait. It runs in the loop.
    WaitNotice(asio::io_context& io, std::function<std::string()> reason);
    // The command gives up: nothing more is said.
    void end() { timer_.set(dunlin::kNever); }

  private:
    void look();

    std::function<std::string()> reason_;
    std::string seen_;
    int looks_ = 0;      // that saw `seen_`, in a row
    bool told_ = false;  // since the command went on last
    dunlin_asio::BootTimer timer_;
};

// Why a member talks to nobody yet; `awaited` is whom it waits for where it dials nobody itself. Empty: it has a session.
[[nodiscard]] std::string why_alone(const HostedNode& host, std::string_view awaited);

}  // namespace dunlin_tool
