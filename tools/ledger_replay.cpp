#include "ledger_replay.hpp"

#include "tool_error.hpp"

#include <dunlin/core/counters.hpp>
#include <dunlin/ledger/commands.hpp>
#include <dunlin/ledger/ledger.hpp>

#include <cstring>
#include <span>

namespace dunlin_tool {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& why) { throw ToolError(kCannotStart, name + " " + why + "."); }

// The cluster's, which the snapshot or else the first entry says.
dunlin::LedgerLimits limits_of(const ReplicaContents& replica, const std::string& name) {
    if (replica.base.index != dunlin::LogIndex{}) {
        dunlin::ledger::ImageHeader header{};
        std::memcpy(&header, replica.chunks.data(), sizeof header);
        return header.limits;
    }
    dunlin::ledger::BootstrapHead head{};
    if (replica.log.empty() || !dunlin::ledger::decode(replica.log.front().payload, head))
        refuse(name, "has no copy of its cluster's log: nothing can be recovered from it");
    return head.limits;
}

}  // namespace

std::vector<std::byte> replay_ledger(const ReplicaContents& replica, const std::string& name) {
    const dunlin::LedgerLimits limits = limits_of(replica, name);
    std::vector<std::byte> memory(dunlin::ledger::image_bytes(limits));
    dunlin::Counters counters;
    dunlin::ledger::Ledger ledger({memory, limits}, counters);
    if (replica.base.index != dunlin::LogIndex{}) {
        if (const dunlin::Status status = ledger.install(replica.chunks); status != dunlin::Status::ok)
            refuse(name, "has a snapshot that cannot be used: " + std::string(dunlin::to_string(status)));
    }
    for (const ReplicaContents::Entry& entry : replica.log) {
        const dunlin::LogIndex index = ledger.applied().next();
        const dunlin::ledger::ApplyResult result =
            ledger.apply({index, dunlin::Term{entry.term}, dunlin::ClusterTime{entry.time}, entry.type, entry.payload});
        if (result.replica != dunlin::Status::ok) {
            refuse(name, "has a log of which entry " + std::to_string(index.value()) +
                             " cannot be applied here: " + std::string(dunlin::to_string(result.replica)));
        }
    }
    const std::span<const std::byte> image = ledger.image();
    return {image.begin(), image.end()};
}

}  // namespace dunlin_tool
