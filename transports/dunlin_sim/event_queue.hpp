#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/core/time.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace dunlin::sim {

enum class What : std::uint8_t { datagram, timer, disk, resume, action };

// Something that will happen at a moment of true time.
struct Occurrence {
    Instant at{};
    std::uint64_t tiebreak = 0;  // random: simultaneous events come in an order that the seed decides
    std::uint32_t process = 0;   // whom it happens to
    std::uint32_t life = 0;      // of that process: what was meant for an earlier life is void
    std::uint32_t payload = 0;   // datagram: its buffer; disk: the operation; action: its number
    What what = What::timer;
    bool lagged = false;  // it has waited for a slow process
};

// The one queue of a world, ordered by (time, tiebreak). O(log n) each way; memory is kept, so a running world allocates
// only when it is busier than ever before.
class EventQueue {
  public:
    explicit EventQueue(std::uint64_t seed) : random_(seed) {}
    void push(Occurrence occurrence) {
        occurrence.tiebreak = random_.next_u64();
        heap_.push_back(occurrence);
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    [[nodiscard]] bool empty() const { return heap_.empty(); }
    [[nodiscard]] const Occurrence& next() const { return heap_.front(); }
    Occurrence pop() {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const Occurrence occurrence = heap_.back();
        heap_.pop_back();
        return occurrence;
    }
    [[nodiscard]] std::size_t size() const { return heap_.size(); }

  private:
    static bool later(const Occurrence& a, const Occurrence& b) { return a.at != b.at ? a.at > b.at : a.tiebreak > b.tiebreak; }
    std::vector<Occurrence> heap_;
    Random random_;
};

}  // namespace dunlin::sim
