#include "delay_queue.hpp"

#include <dunlin/core/assert.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace dunlin_wire {
namespace {

bool later(const DelayQueue::Entry& one, const DelayQueue::Entry& other) {
    return std::tie(other.due, other.number) < std::tie(one.due, one.number);
}

}  // namespace

bool DelayQueue::push(dunlin::Instant due, PortIndex from, SharedFrame frame) {
    if (entries_.size() == frames_max_) return false;
    entries_.push_back({due, pushed_++, from, std::move(frame)});
    std::ranges::push_heap(entries_, later);
    return true;
}

const DelayQueue::Entry& DelayQueue::front() const {
    DUNLIN_ASSERT(!entries_.empty());
    return entries_.front();
}

void DelayQueue::pop() {
    DUNLIN_ASSERT(!entries_.empty());
    std::ranges::pop_heap(entries_, later);
    entries_.pop_back();
}

}  // namespace dunlin_wire
