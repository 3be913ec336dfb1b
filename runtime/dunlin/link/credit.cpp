#include <dunlin/core/assert.hpp>
#include <dunlin/link/credit.hpp>

namespace dunlin::link {

void CreditAccount::start(Credit stated) {
    units_ = messages_ = 0;
    waiting_ = {};
    limit_ = {Credit::kUnlimited, Credit::kUnlimited};
    state(stated);
}

void CreditAccount::state(Credit stated) {
    if (stated.messages != 0) limit_ = stated;
}

bool CreditAccount::allows(Lane lane, std::uint32_t units) const {
    for (const Lane above : kLanesByPriority) {
        if (above == lane) break;
        if (waiting_.has(above)) return false;
    }
    const auto fits = [&](std::uint32_t used, std::uint32_t more, std::uint16_t limit) {
        if (limit == Credit::kUnlimited) return true;
        return used + more <= limit && LaneScheduler::leaves_room(lane, lanes_, limit - used, limit, messages_ == 0);
    };
    return fits(messages_, 1, limit_.messages) && fits(units_, units, limit_.units);
}

void CreditAccount::take(std::uint32_t units) {
    units_ += units;
    ++messages_;
}

void CreditAccount::give_back(std::uint32_t units) {
    DUNLIN_ASSERT(messages_ > 0 && units_ >= units);
    units_ -= units;
    --messages_;
}

}  // namespace dunlin::link
