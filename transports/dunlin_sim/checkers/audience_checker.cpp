#include <dunlin_sim/checkers/audience_checker.hpp>

#include <algorithm>
#include <set>

namespace dunlin::sim {
namespace {

// The first level, and what follows it; `more`: something does.
std::string_view take_level(std::string_view& text, bool& more) {
    const std::size_t length = std::min(text.find('/'), text.size());
    const std::string_view level = text.substr(0, length);
    more = length < text.size();
    text.remove_prefix(more ? length + 1 : length);
    return level;
}

// For each filter the topics that it names, those above and below, and those beside.
std::set<std::string> topics_about(const std::string& filter) {
    std::set<std::string> topics;
    std::string topic;
    for (const char letter : filter) topic += letter == '+' || letter == '#' ? 'x' : letter;
    topics.insert({topic, topic + "/y", topic + "/y/z", topic + "y"});
    const std::size_t above = topic.rfind('/');
    if (above != std::string::npos) topics.insert({topic.substr(0, above), topic.substr(0, above) + "/y"});
    return topics;
}

}  // namespace

bool selects(std::string_view filter, std::string_view topic) {
    bool filter_goes_on = true;
    bool topic_goes_on = true;
    while (filter_goes_on) {
        const std::string_view wanted = take_level(filter, filter_goes_on);
        if (wanted == "#") return true;
        if (!topic_goes_on) return false;
        const std::string_view level = take_level(topic, topic_goes_on);
        if (wanted != "+" && wanted != level) return false;
    }
    return !topic_goes_on;
}

AudienceChecker::AudienceChecker(World& world, Verdict& verdict)
    : world_(world), verdict_(verdict), known_(verdict.expect("everybody knows who listens")) {
    world.observe(*this);
}

void AudienceChecker::subscribed(std::size_t process, SubscriptionId subscription, std::string filter) {
    filters_[{process, subscription.value()}] = std::move(filter);
}

void AudienceChecker::unsubscribed(std::size_t process, SubscriptionId subscription) { filters_.erase({process, subscription.value()}); }

void AudienceChecker::on_crash(Instant at, std::size_t process, const Node& node) {
    static_cast<void>(at), static_cast<void>(node);
    std::erase_if(filters_, [process](const auto& entry) { return entry.first.first == process; });
}

std::size_t AudienceChecker::listeners(std::size_t publisher, std::string_view topic) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(filters_, [&](const auto& entry) { return entry.first.first != publisher && selects(entry.second, topic); }));
}

std::string AudienceChecker::first_wrong() {
    std::set<std::string> topics;
    for (const auto& [key, filter] : filters_) topics.merge(topics_about(filter));
    for (std::size_t process = 0; process < world_.size(); ++process) {
        if (!world_.running(process) || world_.node(process).counters().get(Counter::remote_subscriptions_full) != 0) continue;
        for (const std::string& topic : topics) {
            const std::size_t known = world_.node(process).subscriber_count(topic);
            const std::size_t there_are = listeners(process, topic);
            if (known == there_are) continue;
            return "process " + std::to_string(process) + " knows " + std::to_string(known) + " subscriptions to " + topic +
                   ", and there are " + std::to_string(there_are);
        }
    }
    return {};
}

void AudienceChecker::finish(Instant at) {
    std::string wrong = first_wrong();
    verdict_.check(known_, wrong.empty(), at, [&] { return wrong; });
}

}  // namespace dunlin::sim
