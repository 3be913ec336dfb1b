#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace dunlin::sim {

// Watches who a node takes for alive:
//   an earlier life is not believed   once a session with a node's later epoch was open, no hello of an earlier one is echoed, and no
//                                     session with an earlier one opens
class SessionChecker {
  public:
    explicit SessionChecker(Verdict& verdict)
        : verdict_(verdict), earlier_(verdict.expect("an earlier life is not believed", Verdict::Occasion::rare)) {}

    void on_event(Instant at, std::size_t process, const Event& event);
    void on_receive(std::size_t process, std::span<const std::byte> bytes);  // with a hello
    void on_send(Instant at, std::size_t process, std::span<const std::byte> bytes);
    void on_crash(std::size_t process);

  private:
    static constexpr std::size_t kStaleMax = 16;  // hellos that are remembered
    struct Hello {
        BootEpoch epoch{};
        std::uint64_t nonce = 0;
    };
    struct Seen {
        std::vector<BootEpoch> known;                  // by NodeId, of the last session
        std::map<NodeId, Hello> latest;                // of each node, in its latest epoch
        std::array<std::uint64_t, kStaleMax> stale{};  // nonces of hellos of earlier lives
        std::size_t next = 0;
    };
    [[nodiscard]] Seen& seen_of(std::size_t process);
    [[nodiscard]] static BootEpoch& known(Seen& seen, NodeId node);

    Verdict& verdict_;
    Verdict::Invariant earlier_;
    std::vector<Seen> seen_;  // by process
};

}  // namespace dunlin::sim
