#include <dunlin/consensus/consensus.hpp>

namespace dunlin::consensus {

Result<ReadTicket> Consensus::begin_read() {
    if (role_ != Role::leader) return Status::not_leader;
    if (!committed_in_term()) return Status::busy;
    for (Progress& peer : peers()) {
        if (peer.votes()) peer.heartbeat_owed = true;
    }
    return ReadTicket{term_, commit_, round_ + 1};
}

ReadState Consensus::read_state(const ReadTicket& ticket) {
    if (role_ != Role::leader || ticket.term != term_) return ReadState::failed;
    constexpr std::uint64_t kAlways = ~std::uint64_t{0};
    if (reached(kAlways, [](const Progress& peer) { return peer.acked_round; }) < ticket.round) return ReadState::waiting;
    if (applied_ < ticket.index) return ReadState::waiting;
    counters_->add(Counter::reads_confirmed);
    return ReadState::ready;
}

}  // namespace dunlin::consensus
