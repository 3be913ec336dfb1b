#include <dunlin/core/assert.hpp>
#include <dunlin/link/credit.hpp>

namespace dunlin::link {

CreditAccount::CreditAccount(std::size_t lanes) : lanes_(static_cast<std::uint8_t>(lanes)) {
    DUNLIN_ASSERT(lanes >= 1 && lanes <= kLanesMax);
}

void CreditAccount::start(Credit stated) {
    units_ = messages_ = 0;
    waiting_ = {};
    limit_ = {Credit::kUnlimited, Credit::kUnlimited};
    stated_in_ = {};
    state(stated, {});
}

void CreditAccount::state(Credit stated, PacketNumber number) {
    if (stated.messages == 0 || number < stated_in_) return;
    limit_ = stated;
    stated_in_ = number;
}

bool CreditAccount::yields(Lane lane) const {
    for (const Lane above : kLanesByPriority) {
        if (above == lane) return false;
        if (waiting_.has(above)) return true;
    }
    return false;
}

bool CreditAccount::covers(std::uint32_t units) const {
    return messages_ < limit_.messages && (limit_.units == Credit::kUnlimited || units_ + units <= limit_.units);
}

bool CreditAccount::allows(Lane lane) const {
    if (yields(lane)) return false;
    const auto left = [&](std::uint32_t used, std::uint16_t limit) {
        if (limit == Credit::kUnlimited) return true;
        return used < limit && LaneScheduler::leaves_room(lane, lanes_, limit - used, limit, messages_ == 0);
    };
    return left(messages_, limit_.messages) && left(units_, limit_.units);
}

void CreditAccount::take(std::uint32_t units) {
    DUNLIN_ASSERT(messages_ < 0xffff);
    units_ += units;
    ++messages_;
}

void CreditAccount::give_back(std::uint32_t units) {
    DUNLIN_ASSERT(messages_ > 0 && units_ >= units);
    units_ -= units;
    --messages_;
}

}  // namespace dunlin::link
