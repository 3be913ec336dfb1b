#include <dunlin_sim/checkers/effect_checker.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {
namespace {

std::string text(std::uint32_t process, const MessageKey& key) {
    return "the effect of message " + std::to_string(key.number) + " of process " + std::to_string(key.publisher) + " at process " +
           std::to_string(process);
}

}  // namespace

EffectChecker::EffectChecker(Verdict& verdict)
    : verdict_(verdict), once_(verdict.expect("effects are kept once", Verdict::Occasion::rare)) {}

EffectChecker::Effects& EffectChecker::effects_of(std::uint32_t process) {
    if (effects_.size() <= process) effects_.resize(process + std::size_t{1});
    return effects_[process];
}

// With a state for this number. A process has few streams.
std::size_t EffectChecker::stream_of(Effects& effects, SubscriptionId subscription, const MessageKey& key) {
    std::size_t i = 0;
    const auto is_it = [&](const Stream& each) {
        return each.subscription == subscription && each.publisher == key.publisher && each.life == key.life;
    };
    while (i < effects.streams.size() && !is_it(effects.streams[i])) ++i;
    if (i == effects.streams.size()) effects.streams.push_back({subscription, key.publisher, key.life});
    std::vector<State>& states = effects.streams[i].states;
    if (states.size() <= key.number) states.resize(key.number + 1);
    return i;
}

std::uint64_t EffectChecker::kept(Instant at, const Receiver& receiver, const MessageKey& key) {
    Effects& effects = effects_of(receiver.process);
    const std::size_t stream = stream_of(effects, receiver.subscription, key);
    State& state = effects.streams[stream].states[key.number];
    verdict_.check(once_, state == State::none, at, [&] { return text(receiver.process, key) + " is kept twice"; });
    if (state == State::none) effects.list.push_back({stream, key.number});
    state = std::max(state, State::kept);
    return effects.list.size();
}

void EffectChecker::acknowledged(Instant at, std::uint32_t process, SubscriptionId subscription, const MessageKey& key) {
    Effects& effects = effects_of(process);
    State& state = effects.streams[stream_of(effects, subscription, key)].states[key.number];
    verdict_.check(once_, state != State::none, at,
                   [&] { return text(process, key) + " is not kept, and its publisher was told that it is"; });
    if (state != State::none) state = State::acknowledged;
}

void EffectChecker::recovered(Instant at, std::uint32_t process, std::uint64_t position) {
    Effects& effects = effects_of(process);
    verdict_.check(once_, position <= effects.list.size(), at, [&] {
        return "process " + std::to_string(process) + " recovered position " + std::to_string(position) + " of " +
               std::to_string(effects.list.size());
    });
    for (; effects.list.size() > position; effects.list.pop_back()) {
        const Effect& last = effects.list.back();
        State& state = effects.streams[last.stream].states[last.number];
        verdict_.check(once_, state != State::acknowledged, at, [&] {
            return "process " + std::to_string(process) + " recovered position " + std::to_string(position) + ", and has lost effect " +
                   std::to_string(effects.list.size()) + ", whose publisher was told that it is kept";
        });
        state = State::none;
    }
}

}  // namespace dunlin::sim
