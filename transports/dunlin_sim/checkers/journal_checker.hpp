#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace dunlin::sim {

// What a journal on these bytes says when it is opened.
struct JournalContent {
    Status status = Status::ok;                      // why it cannot be opened
    std::map<std::uint64_t, std::uint64_t> records;  // by sequence: a hash of kind and payload
};
[[nodiscard]] JournalContent read_journal(std::span<const std::byte> device);

// Watches what must hold of a process's journal over a crash. Reads the disk itself, at the crash and at the next start:
//   what was synced is recovered     after a crash the journal ends no earlier than what was synced, or refuses to open. Where a bank was
//                                    not known on the disk to be retired, nothing that the newer one alone holds was promised yet: if
//                                    the newer one's header rots, the older one may speak for the journal
//   only what was written is recovered     and every record that it gives back is, byte for byte, one that was written
// A disk that was exchanged meanwhile is another journal: tell exchanged().
class JournalChecker final : public Observer {
  public:
    JournalChecker(World& world, Verdict& verdict);
    void on_crash(Instant at, std::size_t process, const Node& node) override;
    void on_start(Instant at, std::size_t process) override;
    void exchanged(std::size_t process);

  private:
    struct Crashed {
        JournalContent synced;
        JournalContent written;  // had nothing been lost
        bool known = false;
        std::optional<JournalContent> older;  // of the bank that is not retired on the disk; nothing: there is none
        std::size_t newer_at = 0;             // the other one
    };
    World& world_;
    Verdict& verdict_;
    Verdict::Invariant kept_, genuine_;
    std::vector<Crashed> crashed_;  // by process
};

}  // namespace dunlin::sim
