#include <dunlin_sim/story.hpp>

namespace dunlin::sim {

std::string Story::text(const Line& line) {
    const auto us = static_cast<long long>(line.at.time_since_epoch().count());
    char stamp[48];
    std::snprintf(stamp, sizeof(stamp), "%6lld.%06lld  process %zu  ", us / 1'000'000, us % 1'000'000, line.process);
    std::string text = stamp;
    if (line.crash) return text + "crashed";
    const Event& event = line.event;
    text += to_string(event.kind);
    if (event.status != Status::ok) text += " status=" + std::string(to_string(event.status));
    if (event.node != NodeId{}) text += " node=" + std::to_string(event.node.value());
    if (event.slot != 0) text += " slot=" + std::to_string(event.slot);
    if (event.subscription != SubscriptionId{}) text += " subscription=" + std::to_string(event.subscription.value());
    if (event.value != 0) text += " value=" + std::to_string(event.value);
    if (event.detail != 0) text += " detail=" + std::to_string(event.detail);
    return text;
}

void Story::add(const Line& line) {
    if (out_ != nullptr) std::fprintf(out_, "%s\n", text(line).c_str());
    if (lines_.size() < kLines) {
        lines_.push_back(line);
        return;
    }
    lines_[next_] = line;
    next_ = (next_ + 1) % kLines;
}

void Story::on_event(Instant at, std::size_t process, const Node&, const Event& event) {
    if (event.kind != EventKind::outcome) add({at, process, false, event});
}

void Story::on_crash(Instant at, std::size_t process, const Node&) { add({at, process, true, {}}); }

std::vector<std::string> Story::last() const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < lines_.size(); ++i) texts.push_back(text(lines_[(next_ + i) % lines_.size()]));
    return texts;
}

}  // namespace dunlin::sim
