#pragma once

#include <dunlin_sim/checkers/verdict.hpp>

#include <dunlin/core/event.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace dunlin::sim {

// Watches keys that many processes put, each time with a value that is never put again, and get. The revision that a call
// returns says where in the log its effect is, so the history of a key needs no search:
//   a command runs once          a value has one revision, whoever sees it, and a revision one value
//   what did not run leaves nothing    a put that ended without effect is never seen, nor is what nobody put
//   revisions follow calls       a put gets a higher revision than any that was known before it began; a get none below
class CommandChecker {
  public:
    explicit CommandChecker(Verdict& verdict);

    // `value` is never 0.
    void put_started(std::uint32_t process, RequestId request, const std::string& key, std::uint64_t value);
    void get_started(std::uint32_t process, RequestId request, const std::string& key);
    // An Event::request_done; `value`: what a get returned, 0 where the key did not exist. False: not one of these calls.
    bool ended(Instant at, std::uint32_t process, const Event& event, std::uint64_t value);
    // Its calls end with it; a put among them may be executed at any later time, once.
    void crashed(std::uint32_t process);

    [[nodiscard]] std::uint64_t puts() const { return puts_; }  // answered
    [[nodiscard]] std::uint64_t gets() const { return gets_; }
    [[nodiscard]] std::uint64_t evicted() const { return evicted_; }  // puts that ended because their session was

  private:
    struct Value {
        std::uint64_t revision = 0;  // 0: not seen yet
        bool without_effect = false;
    };
    struct Key {
        std::map<std::uint64_t, Value> values;
        std::map<std::uint64_t, std::uint64_t> by_revision;
        std::uint64_t known = 0;  // highest revision that a call has returned
    };
    struct Call {
        std::string key;
        std::uint64_t value = 0;  // 0: a get
        std::uint64_t known = 0;  // when it began
    };
    void put_ended(Instant at, const Event& event, const Call& call);
    void get_ended(Instant at, const Event& event, const Call& call, std::uint64_t value);
    void seen(Instant at, Key& key, const Call& call, std::uint64_t value, std::uint64_t revision);

    Verdict& verdict_;
    Verdict::Invariant once_, nothing_, order_;
    std::map<std::string, Key> keys_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, Call> calls_;  // by process and request
    std::uint64_t puts_ = 0;
    std::uint64_t gets_ = 0;
    std::uint64_t evicted_ = 0;
};

}  // namespace dunlin::sim
