#include <dunlin_sim/checkers/ledger_checker.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

LedgerChecker::LedgerChecker(Verdict& verdict, Duration timeout)
    : verdict_(verdict),
      linear_(verdict.expect("reads are linearizable")),
      in_time_(verdict.expect("ledger calls end in time")),
      timeout_(timeout) {}

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
    verdict_.check(in_time_, !call.timed || at - call.since <= timeout_, at, [&] {
        return "a call of process " + std::to_string(process) + " took " + std::to_string((at - call.since).count()) + " us";
    });
    if (call.put) {
        put_ended(event, call);
    } else {
        get_ended(at, process, event, call, value);
    }
}

void LedgerChecker::crashed(std::uint32_t process) {
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
