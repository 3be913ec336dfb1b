#include <dunlin_sim/checkers/backoff_checker.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

void BackoffChecker::check_budget(Instant at, const Receiver& receiver, const MessageKey& key, bool again) {
    Spent& spent = spent_[{receiver.process, receiver.life, key.publisher}];
    const double seconds_since = static_cast<double>((at - spent.at).count()) / 1e6;
    spent.retries = std::max(0.0, spent.retries - seconds_since * kRetriesASecond);
    spent.at = at;
    if (!again) {
        spent.retries = std::max(0.0, spent.retries - 0.1);
        return;
    }
    spent.retries += 1;
    verdict_.check(paid_, spent.retries <= kBurst + 1, at, [&] {
        return "process " + std::to_string(receiver.process) + " has asked again for messages of process " + std::to_string(key.publisher) +
               " so often that " + std::to_string(static_cast<int>(spent.retries)) + " times are not paid for";
    });
}

void BackoffChecker::handled(Instant at, const Receiver& receiver, const MessageKey& key, bus::Verdict said) {
    const Key name{receiver.process, receiver.life, receiver.subscription.value(), key};
    const bool again = !waiting_.empty() && waiting_.contains(name);
    check_budget(at, receiver, key, again);
    if (said != bus::Verdict::retry_later) {
        if (again) waiting_.erase(name);
        return;
    }
    const auto who = [&] {
        return "process " + std::to_string(receiver.process) + " was asked for number " + std::to_string(key.number) + " of process " +
               std::to_string(key.publisher);
    };
    Runs& runs = waiting_[name];
    runs.at[runs.count++ % kRuns] = at;
    verdict_.check(ended_, runs.count <= attempts_max_, at, [&] { return who() + " " + std::to_string(runs.count) + " times"; });
    if (runs.count < kRuns) return;
    const Duration took = at - runs.at[runs.count % kRuns];
    verdict_.check(spaced_, took >= kAtLeast, at,
                   [&] { return who() + " " + std::to_string(kRuns) + " times in " + std::to_string(took.count()) + " us"; });
}

}  // namespace dunlin::sim
