#pragma once

#include <dunlin_sim/application.hpp>
#include <dunlin_sim/checkers/command_checker.hpp>

#include <cstdint>
#include <string>

namespace dunlin::sim {

// What a process does with the keys that all share: one call at a time, every third a put.
struct KeyClientPlan {
    std::size_t keys = 2;                // 0: it makes no calls
    Duration every = milliseconds{500};  // pause after the end of a call
};

// The calls of one process in one life. Its owner passes on time and events.
class KeyClient {
  public:
    KeyClient(CommandChecker& checker, const KeyClientPlan& plan, std::uint32_t process, std::uint32_t life)
        : checker_(checker), plan_(plan), process_(process), life_(life) {}

    void start(Instant now);
    void stop() { due_ = kNever; }
    [[nodiscard]] Instant due() const { return due_; }  // when to call call()
    void call(const Context& context);
    // An Event::request_done at true time `at`. False: not of one of its calls.
    bool on_request_done(Instant at, const Context& context, const Event& event);

  private:
    CommandChecker& checker_;
    KeyClientPlan plan_;
    std::uint32_t process_;
    std::uint32_t life_;
    std::uint32_t calls_ = 0;
    Instant due_ = kNever;
};

}  // namespace dunlin::sim
