#include <dunlin_sim/checkers/audit.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

namespace dunlin::sim {
namespace {

Processes all_of(const std::vector<std::size_t>& processes) {
    Processes all = 0;
    for (const std::size_t process : processes) all |= set_of(process);
    return all;
}

}  // namespace

Audit::Audit(World& world, Verdict& verdict, const LedgerLimits& limits, const std::vector<std::size_t>& voters, bool on)
    : on_(on),
      durable_(world),
      reference_(verdict, limits),
      configurations_(world, durable_, voters, all_of(voters)),
      commits_(world, verdict, durable_, configurations_),
      changes_(world, verdict, durable_, commits_),
      promises_(world, verdict, durable_),
      banks_(world, verdict, durable_),
      elections_(world, verdict, configurations_),
      followers_(world, verdict),
      hung_disks_(world, verdict, configurations_),
      reads_(world, verdict, commits_, configurations_),
      sessions_(verdict),
      adverts_(world, verdict) {
    if (!on) return;
    commits_.on_committed = [this](Instant at, LogIndex index, const DurableState::Entry& entry) { reference_.apply(at, index, entry); };
    world.observe(*this);
}

void Audit::on_event(Instant at, std::size_t process, const Node& node, const Event& event) {
    commits_.on_event(at, process, node, event);
    elections_.on_event(at, process, node, event);
    followers_.on_event(process, event);
    hung_disks_.on_event(at, process, event);
    sessions_.on_event(at, process, event);
    adverts_.on_event(process, event);
}

void Audit::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    promises_.on_epoch(at, process, BootEpoch{wire::load<wire::PacketHeader>(bytes).epoch()});
    const RecordTypes types = types_of(bytes);
    if ((types & bit(wire::RecordType::hello)) != 0) {
        sessions_.on_send(at, process, bytes);
        reads_.on_hello_sent(process, bytes);
    }
    if ((types & kAdverts) != 0) adverts_.on_send(at, process, to, bytes);
    if ((types & kReads) != 0 && (elections_.votes(process) || elections_.votes(to))) reads_.on_send(at, process, to, bytes);
    if ((types & kConsensus) == 0 || !elections_.votes(process) || !elections_.votes(to)) return;
    promises_.on_send(at, process, to, bytes);
    elections_.on_send(at, process, to, bytes);
    reads_.on_consensus_sent(process, bytes);
}

void Audit::on_receive(Instant at, std::size_t process, std::size_t from, std::span<const std::byte> bytes) {
    const bool hello = wire::load<wire::PacketHeader>(bytes).session() == 0;
    if (hello) sessions_.on_receive(process, bytes);
    const RecordTypes types = types_of(bytes);
    if ((types & bit(wire::RecordType::subscriptions_acked)) != 0) adverts_.on_acked(process, from);
    if (!elections_.votes(process) || !elections_.votes(from)) return;
    elections_.on_datagram(at, process, from);
    hung_disks_.on_datagram(at, process, from);
    if (hello || (types & kConsensus) == 0) return;
    elections_.on_receive(process, from, bytes);
    followers_.on_receive(process, bytes);
    reads_.on_consensus_received(process, from, bytes);
}

void Audit::on_step(Instant at, std::size_t process, const Node& node) {
    if (versions_.size() <= process) versions_.resize(process + 1);
    commits_.on_step(at, process, node);
    elections_.on_step(at, process, node);
    if (elections_.votes(process)) followers_.on_step(at, process, node);
    hung_disks_.on_step(at, process);
    banks_.on_step(at, process);
    const std::uint64_t version = durable_.version(process);
    if (version == versions_[process]) return;
    versions_[process] = version;
    promises_.on_durable(at, process);
    if (elections_.votes(process)) changes_.on_durable(at, process);
    commits_.on_durable(at, process);
    banks_.on_durable(at, process, node);
}

void Audit::on_crash(Instant, std::size_t process, const Node&) {
    commits_.on_crash(process);
    elections_.on_crash(process);
    followers_.on_crash(process);
    hung_disks_.on_crash(process);
    reads_.on_crash(process);
    sessions_.on_crash(process);
}

}  // namespace dunlin::sim
