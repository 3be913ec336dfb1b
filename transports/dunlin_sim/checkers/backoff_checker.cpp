#include <dunlin_sim/checkers/backoff_checker.hpp>

#include <string>

namespace dunlin::sim {

void BackoffChecker::handled(Instant at, const Receiver& receiver, const MessageKey& key, bus::Verdict said) {
    const Key name{receiver.process, receiver.life, receiver.subscription.value(), key};
    if (said != bus::Verdict::retry_later) {
        if (!waiting_.empty()) waiting_.erase(name);
        return;
    }
    Runs& runs = waiting_[name];
    runs.at[runs.count++ % kRuns] = at;
    if (runs.count < kRuns) return;
    const Duration took = at - runs.at[runs.count % kRuns];
    verdict_.check(spaced_, took >= kAtLeast, at, [&] {
        return "process " + std::to_string(receiver.process) + " was asked " + std::to_string(kRuns) + " times for number " +
               std::to_string(key.number) + " of process " + std::to_string(key.publisher) + " in " + std::to_string(took.count()) + " us";
    });
}

}  // namespace dunlin::sim
