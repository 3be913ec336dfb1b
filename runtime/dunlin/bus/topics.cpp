#include <dunlin/bus/topics.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/checksum.hpp>

#include <algorithm>

namespace dunlin::bus {

namespace {

// Lengths that no name has. Probing stops at a free row, and goes on past a forgotten one.
constexpr std::uint16_t kFree = 0;
constexpr std::uint16_t kForgotten = 0xffff;

}  // namespace

void NameSlots::set(std::size_t row, std::string_view name) {
    DUNLIN_ASSERT(name.size() <= bytes_max_ && (row + 1) * bytes_max_ <= text_.size());
    std::copy(name.begin(), name.end(), text_.begin() + static_cast<std::ptrdiff_t>(row * bytes_max_));
}

TopicTable::TopicTable(const TopicStorage& storage) : lengths_(storage.lengths), names_(storage.text, storage.bytes_max) {
    DUNLIN_ASSERT(!lengths_.empty() && lengths_.size() < kNoTopic.value());
    DUNLIN_ASSERT(storage.text.size() == lengths_.size() * storage.bytes_max);
}

// An empty text, or one of 65,535 bytes, would match a free or a forgotten row: neither can be a name.
bool TopicTable::is_at(std::size_t row, std::string_view topic) const {
    const bool may_be_a_name = !topic.empty() && topic.size() <= names_.bytes_max();
    return may_be_a_name && lengths_[row] == topic.size() && names_.get(row, topic.size()) == topic;
}

TopicTable::Probe TopicTable::probe(std::string_view topic) const {
    const std::size_t rows = lengths_.size();
    std::size_t row = static_cast<std::uint32_t>(fnv1a64(topic)) % static_cast<std::uint32_t>(rows);
    Probe result;
    for (std::size_t probes = 0; probes < rows; ++probes) {
        const std::uint16_t length = lengths_[row];
        const TopicIndex here{static_cast<std::uint16_t>(row)};
        if (length == kFree || length == kForgotten) {
            if (result.place == kNoTopic) result.place = here;
            if (length == kFree) break;
        } else if (is_at(row, topic)) {
            result.found = here;
            break;
        }
        row = row + 1 == rows ? 0 : row + 1;
    }
    return result;
}

TopicIndex TopicTable::find(std::string_view topic) const {
    if (is_at(last_.value(), topic)) return last_;
    const TopicIndex found = probe(topic).found;
    if (found != kNoTopic) last_ = found;
    return found;
}

TopicIndex TopicTable::intern(std::string_view topic) {
    DUNLIN_ASSERT(!topic.empty() && topic.size() <= names_.bytes_max());
    const Probe known = probe(topic);
    if (known.found != kNoTopic || known.place == kNoTopic) return known.found;
    names_.set(known.place.value(), topic);
    lengths_[known.place.value()] = static_cast<std::uint16_t>(topic.size());
    return known.place;
}

std::string_view TopicTable::name(TopicIndex topic) const {
    const std::uint16_t length = lengths_[topic.value()];
    DUNLIN_ASSERT(length != kFree && length != kForgotten);
    return names_.get(topic.value(), length);
}

void TopicTable::forget(TopicIndex topic) {
    if (lengths_[topic.value()] != kFree) lengths_[topic.value()] = kForgotten;
}

}  // namespace dunlin::bus
