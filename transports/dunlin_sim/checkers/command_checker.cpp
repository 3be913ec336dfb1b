#include <dunlin_sim/checkers/command_checker.hpp>

#include <algorithm>

namespace dunlin::sim {

CommandChecker::CommandChecker(Verdict& verdict)
    : verdict_(verdict),
      once_(verdict.expect("a command runs once")),
      nothing_(verdict.expect("what did not run leaves nothing")),
      order_(verdict.expect("revisions follow calls")) {}

void CommandChecker::put_started(std::uint32_t process, RequestId request, const std::string& key, std::uint64_t value) {
    Key& history = keys_[key];
    history.values.try_emplace(value);
    calls_[{process, request.value()}] = {key, value, history.known};
}

void CommandChecker::get_started(std::uint32_t process, RequestId request, const std::string& key) {
    calls_[{process, request.value()}] = {key, 0, keys_[key].known};
}

// Somebody was told that this value of the key has this revision.
void CommandChecker::seen(Instant at, Key& key, const Call& call, std::uint64_t value, std::uint64_t revision) {
    const auto named = [&] { return "value " + std::to_string(value) + " of " + call.key + " has revision " + std::to_string(revision); };
    const auto known = key.values.find(value);
    const bool put = known != key.values.end() && !known->second.without_effect;
    verdict_.check(nothing_, put, at, [&] {
        return named() + (known == key.values.end() ? ", and nobody put it" : ", and its put was told to have had no effect");
    });
    if (!put) return;
    std::uint64_t& before = known->second.revision;
    verdict_.check(once_, before == 0 || before == revision, at, [&] { return named() + " and " + std::to_string(before); });
    before = revision;
    const auto [entry, fresh] = key.by_revision.try_emplace(revision, value);
    verdict_.check(once_, entry->second == value, at,
                   [&, known = entry->second] { return named() + ", as has value " + std::to_string(known); });
    key.known = std::max(key.known, revision);
}

void CommandChecker::put_ended(Instant at, const Event& event, const Call& call) {
    Key& key = keys_[call.key];
    if (event.status == Status::ok) {
        ++puts_;
        verdict_.check(order_, event.value > call.known, at, [&] {
            return "a put of " + call.key + " got revision " + std::to_string(event.value) + " after " + std::to_string(call.known) +
                   " was known";
        });
        return seen(at, key, call, call.value, event.value);
    }
    if (event.status == Status::session_evicted) ++evicted_;
    if (event.effect != Effect::none) return;
    Value& value = key.values[call.value];
    value.without_effect = true;
    verdict_.check(nothing_, value.revision == 0, at, [&] {
        return "a put of " + call.key + " ended without effect (" + std::string(to_string(event.status)) +
               "), and its value has revision " + std::to_string(value.revision);
    });
}

void CommandChecker::get_ended(Instant at, const Event& event, const Call& call, std::uint64_t value) {
    if (event.status != Status::ok && event.status != Status::not_found) return;
    ++gets_;
    const std::uint64_t revision = event.status == Status::ok ? event.value : 0;
    verdict_.check(order_, revision >= call.known, at, [&] {
        return "a get of " + call.key + " returned revision " + std::to_string(revision) + " after " + std::to_string(call.known) +
               " was known";
    });
    if (revision != 0) seen(at, keys_[call.key], call, value, revision);
}

bool CommandChecker::ended(Instant at, std::uint32_t process, const Event& event, std::uint64_t value) {
    const auto found = calls_.find({process, event.request.value()});
    if (found == calls_.end()) return false;
    const Call call = found->second;
    calls_.erase(found);
    if (call.value != 0) {
        put_ended(at, event, call);
    } else {
        get_ended(at, event, call, value);
    }
    return true;
}

void CommandChecker::crashed(std::uint32_t process) {
    std::erase_if(calls_, [&](const auto& entry) { return entry.first.first == process; });
}

}  // namespace dunlin::sim
