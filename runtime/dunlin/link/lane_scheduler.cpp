#include <dunlin/core/assert.hpp>
#include <dunlin/link/lane_scheduler.hpp>

namespace dunlin::link {

Lane LaneScheduler::next(LaneSet wanting) const {
    DUNLIN_ASSERT(!wanting.empty());
    for (const Lane lane : kLanesByPriority) {
        if (wanting.has(lane) && has_turn(lane)) return lane;
    }
    Lane highest = Lane::bulk;
    for (const Lane lane : kLanesByPriority) {
        if (!wanting.has(lane)) continue;
        highest = lane;
        break;
    }
    return highest;
}

void LaneScheduler::sent(Lane lane, LaneSet wanting) {
    for (const Lane other : kLanesByPriority) {
        std::uint8_t& passed_over = passed_over_[index_of(other)];
        if (other == lane) {
            passed_over = 0;
        } else if (wanting.has(other) && passed_over < kTurn) {
            ++passed_over;
        }
    }
}

}  // namespace dunlin::link
