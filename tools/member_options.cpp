#include "member_options.hpp"

#include "tool_error.hpp"
#include "values.hpp"

#include <dunlin_asio/entropy.hpp>

namespace dunlin_tool {

std::uint16_t random_id() { return static_cast<std::uint16_t>(0x8000U | (dunlin_asio::random_nonzero_u64() & 0x7fffU)); }

void MemberOptions::add_to(CLI::App& command, bool with_files) {
    command.add_option("--id", id_, "This node's id, unique in the cluster (default: a random one, 32768 or above)")
        ->check(CLI::Range(1, 65535));
    command.add_option("--peer", peers_, "Address of a node to contact, host:port; may be repeated")->allow_extra_args(false);
    command.add_option("--listen", listen_, "UDP address to listen at, host:port (default: any free port of all interfaces)");
    command.add_option("--cluster", cluster_, "Name of the cluster")->capture_default_str();
    command.add_option("--loss", loss_, "Share of packets to drop on sending, 0..1, to see what happens")->check(CLI::Range(0.0, 1.0));
    if (!with_files) return;
    command.add_option("--journal", journal_, "Journal file; made where there is none. Needs --id");
    command.add_option("--socket", socket_, "Unix socket for `dunlin status`, `key` and `member` (default: none)");
}

HostSettings MemberOptions::settings() const {
    HostSettings settings;
    if (!journal_.empty() && id_ == 0) throw ToolError(kUsage, "--journal needs --id: a journal belongs to one node.");
    settings.id = id_ != 0 ? id_ : random_id();
    if (cluster_.empty() || cluster_.size() > dunlin::kClusterNameBytesMax) throw ToolError(kUsage, "--cluster must be 1..32 bytes long.");
    settings.cluster = cluster_;
    if (listen_.empty() && peers_.empty()) {
        throw ToolError(kUsage,
                        "nobody could ever be met: give --peer with the address of a node to contact, or --listen with one where others "
                        "contact this node.");
    }
    if (!listen_.empty() && !is_address(listen_, true))
        throw ToolError(kUsage, "--listen '" + listen_ + "' is no address such as 127.0.0.1:7001.");
    if (!listen_.empty()) settings.listen = listen_;
    for (const std::string& peer : peers_) {
        if (!is_address(peer, false)) throw ToolError(kUsage, "--peer '" + peer + "' is no address such as 127.0.0.1:7001.");
    }
    if (peers_.size() > kHostMember.peers)
        throw ToolError(kUsage, "--peer may be given " + std::to_string(kHostMember.peers) + " times at most.");
    settings.seeds = peers_;
    settings.journal = journal_;
    settings.make_journal = true;
    settings.stop_on_conflict = true;
    settings.loss_ppm = *to_ppm(loss_);
    return settings;
}

std::optional<JournalUse> MemberOptions::journal_use(const std::optional<JournalUse::Subscription>& subscription) const {
    if (journal_.empty()) return std::nullopt;
    return JournalUse(journal_, subscription);
}

}  // namespace dunlin_tool
