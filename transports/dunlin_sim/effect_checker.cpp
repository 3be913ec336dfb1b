#include <dunlin_sim/effect_checker.hpp>

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

// Publisher, life, number and durable id, each with more bits than a run has use for.
std::uint64_t EffectChecker::name_of(SubscriptionId subscription, const MessageKey& key) {
    return std::uint64_t{key.publisher & 0xffU} << 56U | std::uint64_t{key.life & 0xffffU} << 40U | (key.number & 0xffffffffU) << 8U |
           (subscription.value() & 0xffU);
}

std::uint64_t EffectChecker::kept(Instant at, const Receiver& receiver, const MessageKey& key) {
    if (effects_.size() <= receiver.process) effects_.resize(receiver.process + std::size_t{1});
    Effects& effects = effects_[receiver.process];
    const bool fresh = effects.known.try_emplace(name_of(receiver.subscription, key), false).second;
    verdict_.check(once_, fresh, at, [&] { return text(receiver.process, key) + " is kept twice"; });
    if (fresh) effects.list.push_back(name_of(receiver.subscription, key));
    return effects.list.size();
}

void EffectChecker::acknowledged(Instant at, std::uint32_t process, SubscriptionId subscription, const MessageKey& key) {
    if (effects_.size() <= process) effects_.resize(process + std::size_t{1});
    const auto found = effects_[process].known.find(name_of(subscription, key));
    verdict_.check(once_, found != effects_[process].known.end(), at,
                   [&] { return text(process, key) + " is not kept, and its publisher was told that it is"; });
    if (found != effects_[process].known.end()) found->second = true;
}

void EffectChecker::recovered(Instant at, std::uint32_t process, std::uint64_t position) {
    if (effects_.size() <= process) return;
    Effects& effects = effects_[process];
    verdict_.check(once_, position <= effects.list.size(), at, [&] {
        return "process " + std::to_string(process) + " recovered position " + std::to_string(position) + " of " +
               std::to_string(effects.list.size());
    });
    for (; effects.list.size() > position; effects.list.pop_back()) {
        const auto lost = effects.known.find(effects.list.back());
        verdict_.check(once_, !lost->second, at, [&] {
            return "process " + std::to_string(process) + " recovered position " + std::to_string(position) + ", and has lost effect " +
                   std::to_string(effects.list.size()) + ", whose publisher was told that it is kept";
        });
        effects.known.erase(lost);
    }
}

}  // namespace dunlin::sim
