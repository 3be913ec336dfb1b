#include <dunlin_sim/checkers/configurations.hpp>

#include <algorithm>
#include <utility>

namespace dunlin::sim {

using consensus::ChangeOp;

Configurations::Configurations(World& world, DurableStates& durable, std::vector<std::size_t> hosts, Processes founders)
    : world_(world), durable_(durable), hosts_(std::move(hosts)), committed_{{LogIndex{}, founders}} {
    for (const std::size_t host : hosts_) all_hosts_ |= set_of(host);
    at_end_.resize(hosts_.empty() ? 0 : std::ranges::max(hosts_) + 1, founders);
}

Processes Configurations::after(Processes voters, const consensus::ConfigChange& change) const {
    const auto about =
        std::ranges::find_if(hosts_, [&](std::size_t host) { return world_.process(host).setup.options.id == NodeId{change.node}; });
    if (about == hosts_.end()) return voters;
    switch (static_cast<ChangeOp>(change.op)) {
        case ChangeOp::promote: return voters | set_of(*about);
        case ChangeOp::demote:
        case ChangeOp::remove: return voters & ~set_of(*about);
        default: return voters;
    }
}

Processes Configurations::after(Processes voters, const DurableState::Entry& entry) const {
    if (entry.type != consensus::EntryType::members) return voters;
    const auto change = consensus::change_in(std::span(entry.payload));
    return change ? after(voters, *change) : voters;
}

void Configurations::asked(Instant at, const consensus::ConfigChange& change) {
    std::erase_if(asked_, [&](const Asked& asked) {
        return at - asked.at > kUnsyncedMax || (asked.change.node == change.node && asked.change.op == change.op);
    });
    asked_.push_back({at, change});
}

void Configurations::committed(LogIndex index, const DurableState::Entry& entry, NodeId leader) {
    const auto change = entry.type == consensus::EntryType::members ? consensus::change_in(entry.payload) : std::nullopt;
    if (!change) return;
    const Processes before = committed_.rbegin()->second;
    const Processes now = after(before, *change);
    if (static_cast<ChangeOp>(change->op) == ChangeOp::add_learner) happened(MemberNews::added);
    if (now == before) return;
    committed_.emplace(index, now);
    happened(now > before ? MemberNews::promoted : MemberNews::left);
    if (now < before && NodeId{change->node} == leader) happened(MemberNews::left_as_leader);
}

Processes Configurations::as_of(LogIndex index) const { return std::prev(committed_.upper_bound(index))->second; }

// By its log up to `end`: what of it is committed, and what follows.
Processes Configurations::at_end_of(const DurableState& disk, LogIndex end, std::span<const Term> terms) const {
    LogIndex index = std::min(end, LogIndex{terms.size()});
    while (index > disk.base() && !disk.holds(index, terms[index.value() - 1])) index = index.previous();
    Processes voters = as_of(index);
    for (index = index.next(); index <= end; index = index.next()) {
        if (const DurableState::Entry* const entry = disk.entry(index)) voters = after(voters, *entry);
    }
    return voters;
}

void Configurations::on_durable(std::size_t process, std::span<const Term> terms) {
    const DurableState& disk = durable_.of(process);
    at_end_[process] = at_end_of(disk, disk.last_index(), terms);
}

bool Configurations::majority_now_or_asked(Instant at, Processes some, Processes voters) const {
    return is_majority(some, voters) || std::ranges::any_of(asked_, [&](const Asked& asked) {
               return at - asked.at <= kUnsyncedMax && is_majority(some, after(voters, asked.change));
           });
}

// Its memory is ahead of its disk by one change, which another disk may have; or, where its disk is slow and it leads, by all that the
// others have committed.
bool Configurations::majority_at(Instant at, std::size_t process, Processes some) const {
    const Processes own = at_end_[process];
    if (majority_now_or_asked(at, some, own) || majority_now_or_asked(at, some, voters())) return true;
    return std::ranges::any_of(hosts_, [&](std::size_t host) {
        return std::popcount(at_end_[host] ^ own) == 1 && majority_now_or_asked(at, some, at_end_[host]);
    });
}

bool Configurations::majority_for(Instant at, LogIndex index, Term term, Processes some, std::span<const Term> terms) {
    return std::ranges::any_of(hosts_, [&](std::size_t host) {
        const DurableState& disk = durable_.of(host);
        if (disk.entry(index) == nullptr || !disk.holds(index, term)) return false;
        return majority_now_or_asked(at, some, at_end_of(disk, index, terms)) ||
               majority_now_or_asked(at, some, at_end_of(disk, disk.last_index(), terms));
    });
}

}  // namespace dunlin::sim
