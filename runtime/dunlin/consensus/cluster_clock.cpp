#include <dunlin/consensus/cluster_clock.hpp>

namespace dunlin::consensus {

void ClusterClock::on_heartbeat(Term term, ClusterTime time) {
    if (term < heartbeat_term_ || (term == heartbeat_term_ && time < heartbeat_time_)) return;
    heartbeat_term_ = term;
    heartbeat_time_ = time;
}

void ClusterClock::lead(Instant now, Term last_term, ClusterTime last_time) {
    lead_base_ = following(last_term, last_time);
    lead_since_ = now;
}

ClusterTime ClusterClock::leading(Instant now) const { return lead_base_.plus(static_cast<std::uint64_t>(to_us(now - lead_since_))); }

ClusterTime ClusterClock::following(Term last_term, ClusterTime last_time) const {
    return heartbeat_term_ == last_term && heartbeat_time_ > last_time ? heartbeat_time_ : last_time;
}

}  // namespace dunlin::consensus
