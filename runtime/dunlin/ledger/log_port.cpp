#include <dunlin/consensus/consensus.hpp>
#include <dunlin/ledger/log_port.hpp>

namespace dunlin::ledger {
namespace {

using consensus::Consensus;

Consensus& log(void* context) { return *static_cast<Consensus*>(context); }

}  // namespace

LogPort log_port(Consensus& consensus) {
    LogPort port{};
    port.propose = {[](void* context, Instant now, consensus::EntryType type, std::span<const std::byte> first,
                       std::span<const std::byte> second) { return log(context).propose(now, type, first, second); },
                    &consensus};
    port.propose_change = {[](void* context, Instant now, const consensus::ConfigChange& change, std::span<const std::byte> rest) {
                               return log(context).propose_change(now, change, rest);
                           },
                           &consensus};
    port.hand_over = {[](void* context, Instant now, NodeId to) { return log(context).hand_over(now, to); }, &consensus};
    port.leading = {[](void* context) { return log(context).role() == consensus::Role::leader; }, &consensus};
    port.leader = {[](void* context) { return log(context).leader(); }, &consensus};
    port.term = {[](void* context) { return log(context).term(); }, &consensus};
    port.cluster_time = {[](void* context, Instant now) { return log(context).cluster_time(now); }, &consensus};
    port.begin_read = {[](void* context) { return log(context).begin_read(); }, &consensus};
    port.read_state = {[](void* context, const consensus::ReadTicket& ticket) { return log(context).read_state(ticket); }, &consensus};
    return port;
}

}  // namespace dunlin::ledger
