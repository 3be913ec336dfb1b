#pragma once

#include <dunlin/core/ids.hpp>
#include <dunlin/core/time.hpp>

namespace dunlin::consensus {

// Cluster time: carried by every entry and by heartbeats, advanced by the leader's clock alone. It is
// derived from the log's end each time it is asked for, so a truncation takes back what the truncated entries said.
class ClusterClock {
  public:
    // A leader of `term` said that it is `time`. Replaces what a leader of an older term said, also where that was later.
    void on_heartbeat(Term term, ClusterTime time);
    // The leader's clock starts at what the log's end says; it runs from `now` on.
    void lead(Instant now, Term last_term, ClusterTime last_time);
    // As leader: never below any value that it returned before.
    [[nodiscard]] ClusterTime leading(Instant now) const;
    // As follower: the last entry's value, or the last heartbeat's if it is larger and of that entry's term.
    [[nodiscard]] ClusterTime following(Term last_term, ClusterTime last_time) const;

  private:
    Term heartbeat_term_{};
    ClusterTime heartbeat_time_{};
    ClusterTime lead_base_{};
    Instant lead_since_{};
};

}  // namespace dunlin::consensus
