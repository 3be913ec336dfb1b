#pragma once

#include <dunlin_sim/checkers/verdict.hpp>

#include <dunlin/core/event.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace dunlin::sim {

// Watches a key that one process puts, with the numbers 1, 2, 3, ..., and any process gets:
//   reads are linearizable   a get returns no less than what was put, or got by anybody, before it began; and nothing that was
//                            not put yet
//   calls end in time        every call into the ledger ends by its timeout
//   no quorum is said        and soon where nobody leads, or where no leader has answered this process
class LedgerChecker {
  public:
    // `timeout`: of the calls, with what the loop may add to it.
    LedgerChecker(Verdict& verdict, Duration timeout);

    void put_started(Instant at, std::uint32_t process, RequestId request, std::uint64_t number);
    void get_started(Instant at, std::uint32_t process, RequestId request);
    // An Event::request_done; `value`: the number that a get returned, 0 where the key did not exist.
    void ended(Instant at, std::uint32_t process, const Event& event, std::uint64_t value);
    // It crashed, or its node failed and tells nothing more. Its calls end with it; a put among them may be executed at any later time.
    void stopped(std::uint32_t process);
    // So many processes believe now that they lead; call when that changes.
    void leaders(Instant at, std::size_t count);
    // Something that a leader had answered reached it.
    void heard(Instant at, std::uint32_t process);
    // A process that does not vote has started; and a packet with an answer of a leader has reached it.
    void follow(Instant at, std::uint32_t process) { answered_[process] = at; }
    void answered(Instant at, std::uint32_t process);
    // It stood still: its calls are not held to their time.
    void paused(std::uint32_t process);
    void finish(Instant at);

    [[nodiscard]] std::uint64_t puts() const { return puts_; }  // answered
    [[nodiscard]] std::uint64_t gets() const { return gets_; }
    [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }

  private:
    struct Call {
        Instant since{};
        std::uint64_t number = 0;  // put: what; get: the least that it may return
        bool put = false;
        bool timed = true;
    };
    // When a process heard an answer: at last, and before that moment.
    struct Heard {
        Instant last{};
        Instant before{};
    };
    void check_answered(Instant at, std::uint32_t process, const Call& call);
    void check_led(Instant at, std::uint32_t process, const Call& call);
    void put_ended(const Event& event, const Call& call);
    void get_ended(Instant at, std::uint32_t process, const Event& event, const Call& call, std::uint64_t value);

    Verdict& verdict_;
    Verdict::Invariant linear_, in_time_, said_;
    Duration timeout_;
    Instant leaderless_since_ = kNever;
    std::map<std::uint32_t, Instant> answered_;                      // by process that does not vote: when a leader answered it last
    std::map<std::pair<std::uint32_t, std::uint32_t>, Call> calls_;  // by process and request
    std::map<std::uint32_t, Heard> heard_;                           // by process
    std::set<std::uint64_t> loose_;                                  // puts that may be executed at any time, or never
    std::uint64_t known_ = 0;                                        // no read that begins now may return less
    std::uint64_t highest_ = 0;                                      // put so far
    std::uint64_t puts_ = 0;
    std::uint64_t gets_ = 0;
    std::uint64_t unanswered_ = 0;
};

}  // namespace dunlin::sim
