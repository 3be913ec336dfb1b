#include <dunlin/consensus/configuration.hpp>
#include <dunlin/core/bytes.hpp>

namespace dunlin::consensus {

std::optional<ConfigChange> change_in(std::span<const std::byte> payload) {
    ConfigChange change{};
    if (!take(payload, change)) return std::nullopt;
    return change;
}

std::optional<Standing> standing_after(const Member& member, const ConfigChange& change) {
    if (change.node == 0 || change.storage == 0) return std::nullopt;
    const auto op = static_cast<ChangeOp>(change.op);
    const bool known = member.standing != Standing::none;
    if (op == ChangeOp::add_learner) return known ? std::nullopt : std::optional(Standing::learner);
    if (!known || member.id.storage != StorageId{change.storage}) return std::nullopt;
    if (op == ChangeOp::remove) return Standing::none;
    if (op == ChangeOp::promote && member.standing == Standing::learner) return Standing::voter;
    if (op == ChangeOp::demote && member.standing == Standing::voter) return Standing::learner;
    return std::nullopt;
}

}  // namespace dunlin::consensus
