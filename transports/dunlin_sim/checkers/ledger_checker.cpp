#include <dunlin_sim/checkers/ledger_checker.hpp>

#include <dunlin/ledger/client.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

namespace {

// After so long without a leader a call ends: a node says so one quorum_wait after the call, or after the last answer that it got
// from a leader. An answer that ends a call is seen here. One that does not (busy, a session opened) may be under way when the
// leader goes, for as long as the faults together hold a datagram up (NetworkFaults, fault_schedule.cpp). The wait is on the node's
// own clock, and whatever happens to a slow process happens later.
constexpr Duration kUnderWayMax = milliseconds{10 + 50 + 500 + 100};  // delay, late_max, clog, queue_max
constexpr Duration kLateMax = milliseconds{10 + 2 * 30};              // rate_beyond, 1 % of the wait; slow_process: datagram and timer
constexpr Duration kUnledMax = ledger::ClientOptions{}.quorum_wait + kUnderWayMax + kLateMax;

}  // namespace

LedgerChecker::LedgerChecker(Verdict& verdict, Duration timeout)
    : verdict_(verdict),
      linear_(verdict.expect("reads are linearizable")),
      in_time_(verdict.expect("ledger calls end in time")),
      said_(verdict.expect("no quorum is said", Verdict::Occasion::rare)),
      timeout_(timeout) {}

void LedgerChecker::leaders(Instant at, std::size_t count) {
    if ((count == 0) == (leaderless_since_ != kNever)) return;
    for (const auto& [key, call] : calls_) check_led(at, key.first, call);
    leaderless_since_ = count == 0 ? at : kNever;
}

void LedgerChecker::check_led(Instant at, std::uint32_t process, const Call& call) {
    if (leaderless_since_ == kNever || !call.timed) return;
    const auto heard = heard_.find(process);
    const Heard answers = heard == heard_.end() ? Heard{} : heard->second;
    const Instant answered = answers.last < at ? answers.last : answers.before;
    const Duration unled = at - std::max({leaderless_since_, call.since, answered});
    verdict_.check(said_, unled <= kUnledMax, at, [&] {
        return "a call of process " + std::to_string(process) + " waited for " + std::to_string(to_us(unled)) + " us while nobody led";
    });
}

void LedgerChecker::heard(Instant at, std::uint32_t process) {
    Heard& answers = heard_[process];
    if (answers.last != at) answers = {at, answers.last};
}

void LedgerChecker::answered(Instant at, std::uint32_t process) {
    const auto last = answered_.find(process);
    if (last == answered_.end()) return;
    for (auto call = calls_.lower_bound({process, 0}); call != calls_.end() && call->first.first == process; ++call)
        check_answered(at, process, call->second);
    last->second = at;
}

void LedgerChecker::check_answered(Instant at, std::uint32_t process, const Call& call) {
    const auto last = answered_.find(process);
    if (last == answered_.end() || !call.timed) return;
    const Duration unanswered = at - std::max(last->second, call.since);
    verdict_.check(said_, unanswered <= kUnledMax, at, [&] {
        return "a call of process " + std::to_string(process) + " waited for " + std::to_string(to_us(unanswered)) +
               " us while no leader answered it";
    });
}

void LedgerChecker::put_started(Instant at, std::uint32_t process, RequestId request, std::uint64_t number) {
    highest_ = std::max(highest_, number);
    calls_[{process, request.value()}] = {at, number, true, true};
}

void LedgerChecker::get_started(Instant at, std::uint32_t process, RequestId request) {
    calls_[{process, request.value()}] = {at, known_, false, true};
}

void LedgerChecker::put_ended(const Event& event, const Call& call) {
    if (event.status == Status::ok) {
        ++puts_;
        known_ = std::max(known_, call.number);
        return;
    }
    ++unanswered_;
    if (event.effect == Effect::unknown) loose_.insert(call.number);
}

void LedgerChecker::get_ended(Instant at, std::uint32_t process, const Event& event, const Call& call, std::uint64_t value) {
    if (event.status != Status::ok && event.status != Status::not_found) {
        ++unanswered_;
        return;
    }
    ++gets_;
    verdict_.check(linear_, (value >= call.number && value <= highest_) || loose_.contains(value), at, [&] {
        return "process " + std::to_string(process) + " got " + std::to_string(value) + " when at least " + std::to_string(call.number) +
               " and at most " + std::to_string(highest_) + " had been put";
    });
    if (!loose_.contains(value)) known_ = std::max(known_, value);
}

void LedgerChecker::ended(Instant at, std::uint32_t process, const Event& event, std::uint64_t value) {
    const auto found = calls_.find({process, event.request.value()});
    if (found == calls_.end()) return;
    const Call call = found->second;
    calls_.erase(found);
    check_led(at, process, call);
    check_answered(at, process, call);
    verdict_.check(in_time_, !call.timed || at - call.since <= timeout_, at, [&] {
        return "a call of process " + std::to_string(process) + " took " + std::to_string((at - call.since).count()) + " us";
    });
    if (call.put) {
        put_ended(event, call);
    } else {
        get_ended(at, process, event, call, value);
    }
}

void LedgerChecker::stopped(std::uint32_t process) {
    answered_.erase(process);
    heard_.erase(process);
    std::erase_if(calls_, [&](const auto& entry) {
        if (entry.first.first != process) return false;
        if (entry.second.put) loose_.insert(entry.second.number);
        return true;
    });
}

void LedgerChecker::paused(std::uint32_t process) {
    for (auto& [key, call] : calls_) {
        if (key.first == process) call.timed = false;
    }
}

void LedgerChecker::finish(Instant at) {
    for (const auto& [key, call] : calls_) {
        verdict_.check(in_time_, !call.timed || at - call.since <= timeout_, at,
                       [&, process = key.first] { return "a call of process " + std::to_string(process) + " never ended"; });
    }
}

}  // namespace dunlin::sim
