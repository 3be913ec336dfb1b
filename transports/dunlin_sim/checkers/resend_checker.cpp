#include <dunlin_sim/checkers/resend_checker.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {
namespace {

std::string text(std::uint64_t number, NodeId node, SubscriptionId subscription) {
    return "effect " + std::to_string(number) + " at node " + std::to_string(node.value()) + " (subscription " +
           std::to_string(subscription.value()) + ")";
}

}  // namespace

ResendChecker::ResendChecker(Verdict& verdict)
    : verdict_(verdict),
      once_(verdict.expect("one effect a key", Verdict::Occasion::rare)),
      marked_(verdict.expect("repeats of a key are marked", Verdict::Occasion::rare)),
      had_(verdict.expect("told means had", Verdict::Occasion::rare)) {}

std::uint64_t ResendChecker::wanted(Instant deadline) {
    effects_.push_back({.deadline = deadline, .first_deadline = deadline});
    return effects_.size();
}

void ResendChecker::prolong(std::uint64_t number, Instant deadline) {
    effects_[number - 1].deadline = deadline;
    effects_[number - 1].prolonged = true;
}

void ResendChecker::published(std::uint32_t process, std::uint64_t number, const bus::Published& published) {
    copies_[{process, published.id.value()}] = {
        .number = number, .deadline = effects_[number - 1].deadline, .outcomes_left = published.subscribers};
}

ResendChecker::Place& ResendChecker::place_of(const Receiver& receiver, std::uint64_t number) {
    std::vector<Place>& places = effects_[number - 1].places;
    const bool outlives = is_durable(receiver.subscription);
    const auto is_it = [&](const Place& each) {
        return each.node == receiver.node.value() && each.subscription == receiver.subscription.value() &&
               (outlives || each.life == receiver.life);
    };
    const auto known = std::ranges::find_if(places, is_it);
    if (known != places.end()) return *known;
    places.push_back({.node = receiver.node.value(), .subscription = receiver.subscription.value(), .life = receiver.life});
    return places.back();
}

void ResendChecker::decide(Place& place, bus::Verdict said) {
    place.accepted = place.accepted || said == bus::Verdict::accept;
    place.rejected = place.rejected || said == bus::Verdict::reject;
}

void ResendChecker::handled(Instant at, const Receiver& receiver, std::uint64_t number, const bus::Message& message, bus::Verdict said) {
    if (said == bus::Verdict::retry_later) return;  // no effect
    Place& place = place_of(receiver, number);
    const auto who = [&] { return text(number, receiver.node, receiver.subscription); };
    const Effect& effect = effects_[number - 1];
    const bool forgotten = effect.prolonged && at >= place.known_until;
    if (!effect.moved && !forgotten) {
        const bool before = place.runs > 0 && place.life == receiver.life;
        const bool kept = place.told && receiver.durable;
        verdict_.check(once_, !before && !kept, at, [&] {
            return who() +
                   (before ? " is had a second time by the same process" : " is had again, and a publisher was told that it was had");
        });
        if (place.runs > 0 && !before) {
            verdict_.check(marked_, message.maybe_repeated, at, [&] { return who() + " is had again after a crash, and does not say so"; });
        }
    }
    ++place.runs;
    place.known_until = std::max(place.known_until, effect.first_deadline);
    place.life = receiver.life;
    decide(place, said);
}

void ResendChecker::completed(const Receiver& receiver, std::uint64_t number, bus::Verdict said) {
    decide(place_of(receiver, number), said);
}

std::uint64_t ResendChecker::outcome(Instant at, std::uint32_t process, const Event& event) {
    const auto found = copies_.find({process, event.id});
    if (found == copies_.end()) return 0;
    Copy& copy = found->second;
    const std::uint64_t number = copy.number;
    if (copy.outcomes_left > 0) --copy.outcomes_left;
    if (event.outcome != Outcome::acknowledged && event.outcome != Outcome::rejected) return number;
    bool had = false;
    for (Place& place : effects_[number - 1].places) {
        if (place.node != event.node.value() || place.subscription != event.subscription.value()) continue;
        const bool so = event.outcome == Outcome::acknowledged ? place.accepted : place.rejected;
        had = had || so;
        place.told = place.told || so;
        if (so) place.known_until = std::max(place.known_until, copy.deadline);
    }
    verdict_.check(had_, had, at, [&] {
        return text(number, event.node, event.subscription) + " is " + std::string(to_string(event.outcome)) +
               ", and no handler there has said so of any copy";
    });
    return number;
}

void ResendChecker::crashed(std::uint32_t process, bool durable) {
    for (auto copy = copies_.lower_bound({process, 0}); copy != copies_.end() && copy->first.first == process;) {
        if (durable && copy->second.outcomes_left > 0) effects_[copy->second.number - 1].moved = true;
        copy->second.lost = true;
        copy = durable ? std::next(copy) : copies_.erase(copy);
    }
}

std::uint64_t ResendChecker::open() const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(copies_, [](const auto& each) { return each.second.outcomes_left > 0 && !each.second.lost; }));
}

}  // namespace dunlin::sim
