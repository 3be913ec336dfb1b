// The part of Client that knows whom to ask.
#include <dunlin/ledger/client.hpp>

#include <algorithm>

namespace dunlin::ledger {

// target_count_: it is none.
std::uint8_t Client::find_target(NodeId node) const {
    return static_cast<std::uint8_t>(std::find(targets_.begin(), targets_.begin() + target_count_, node) - targets_.begin());
}

bool Client::is_target(NodeId node) const { return find_target(node) < target_count_; }

resilience::CircuitState Client::circuit(NodeId node) const {
    const std::uint8_t i = find_target(node);
    return i < target_count_ ? circuits_[i].state() : resilience::CircuitState::closed;
}

void Client::on_session_open(Instant now, NodeId peer) {
    if (const std::uint8_t i = find_target(peer); i < target_count_) circuits_[i].on_sign_of_life(now);
    if (voters_known()) return;
    if (!is_target(peer)) {
        if (target_count_ == targets_.size()) target_count_ = 0;  // too many who are no voters: begin anew
        circuits_[target_count_] = {};
        targets_[target_count_++] = peer;
        choose_target(peer);
    }
    voters_asked_ = true;
    ask_voters_at_ = now + options_.attempt_timeout();
}

void Client::on_session_closed(Instant now, NodeId peer) {
    on_silence(now, peer);
    for (Request& request : requests_) {
        if (request.state == RequestState::active && request.awaiting && request.asked == peer) retry_later(now, request);
    }
}

void Client::set_voters(Instant now, LogIndex index, std::span<const NodeId> voters) {
    if (index <= voters_index_ || voters.empty() || voters.size() > targets_.size()) return;
    voters_index_ = index;
    const NodeId current = target();
    std::array<resilience::CircuitBreaker, kVotersMax> circuits{};
    for (std::size_t i = 0; i < voters.size(); ++i) {
        if (const std::uint8_t before = find_target(voters[i]); before < target_count_) circuits[i] = circuits_[before];
    }
    circuits_ = circuits;
    std::ranges::copy(voters, targets_.begin());
    target_count_ = static_cast<std::uint8_t>(voters.size());
    target_ = 0;
    choose_target(current);
    voters_asked_ = false;
    ask_voters_at_ = kNever;
    for (Request& request : requests_) {
        if (request.state == RequestState::active && !request.awaiting && eligible(request)) owe(now, request);
    }
}

void Client::choose_target(NodeId node) {
    if (const std::uint8_t i = find_target(node); i < target_count_) target_ = i;
}

// The next voter whose circuit lets it be asked; where none does, the next.
void Client::advance_target(Instant now) {
    if (target_count_ == 0) return;
    const auto after = [this](std::uint8_t i) { return static_cast<std::uint8_t>(i + 1U == target_count_ ? 0U : i + 1U); };
    std::uint8_t next = after(target_);
    while (next != target_ && !circuits_[next].admits(now)) next = after(next);
    target_ = next != target_ ? next : after(target_);
}

void Client::on_silence(Instant now, NodeId from) {
    const std::uint8_t i = find_target(from);
    if (i == target_count_) return;
    if (circuits_[i].on_silence(now, *random_)) {
        counters_->add(Counter::circuits_opened);
        events_->push({.kind = EventKind::circuit_opened, .node = from});
    }
    if (i == target_) advance_target(now);
}

void Client::on_answer(NodeId from) {
    const std::uint8_t i = find_target(from);
    if (i == target_count_ || !circuits_[i].on_answer()) return;
    counters_->add(Counter::circuits_closed);
    events_->push({.kind = EventKind::circuit_closed, .node = from});
}

void Client::note_asked(Instant now) {
    if (circuits_[target_].on_asked(now)) counters_->add(Counter::circuits_half_opened);
}

void Client::on_not_leader(Instant now, NodeId from, NodeId leader) {
    if (leader != NodeId{} && leader != from && is_target(leader)) {
        choose_target(leader);
    } else if (target() == from) {
        advance_target(now);
    }
}

}  // namespace dunlin::ledger
