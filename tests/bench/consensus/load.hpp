#pragma once

#include "arguments.hpp"
#include "window.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace consensus_bench {

inline constexpr std::size_t kKeyBytes = 32;    // with the value 64 bytes, the longest put of the ledger that `dunlin init` makes
inline constexpr std::size_t kValueBytes = 32;  // by default

// A key of the client's own, kKeyBytes long.
[[nodiscard]] std::string key_of(std::size_t client);
// Another value for each number.
[[nodiscard]] std::array<std::byte, kValueBytes> value_of(std::uint64_t number);
// "127.0.0.1:1,127.0.0.1:2" as its parts.
[[nodiscard]] std::vector<std::string> servers_of(const link_bench::Arguments& arguments);

// What the clients of one process are told to do, and what became of their puts. Each client's first put is its warm-up; when the last
// of these is done the process says "ready".
//
//   mode=closed  a line "BEGIN END" (CLOCK_MONOTONIC, ns) comes on standard input; from then on each client puts again as soon as its
//                put is done. The window's figures are printed at the end. A put that fails ends the process with status 3.
//   mode=paced   each client puts every `pause_us`. Each put that is done is printed as a line "ISSUED DONE CLIENT" (ns), until somebody
//                ends the process.
class Load {
  public:
    explicit Load(const link_bench::Arguments& arguments);

    [[nodiscard]] bool paced() const { return paced_; }
    [[nodiscard]] bool warm() const { return warm_ == arguments_.clients; }
    // Of a client that has not put yet.
    void warmed();
    // A put after the warm-up ended.
    void done(std::size_t client, std::int64_t issued_ns, std::string_view failure);  // empty: it is committed
    void tick();
    [[nodiscard]] bool over() const { return window_ && window_->over(); }
    void print() const { window_->print(); }

  private:
    void begin();

    link_bench::Arguments arguments_;
    bool paced_;
    std::uint16_t warm_ = 0;
    std::uint64_t puts_ = 0;
    std::optional<link_bench::Window> window_;
};

}  // namespace consensus_bench
