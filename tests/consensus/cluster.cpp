#include "consensus/cluster.hpp"

namespace dunlin::consensus::test {

namespace {

constexpr std::size_t kDeviceBytes = 64 * 1024;
constexpr std::size_t kPacketBytes = 1200;

std::uint64_t hash_of(const Entry& entry) {
    const std::uint64_t facts[] = {entry.term.value(), entry.time.value(), static_cast<std::uint64_t>(entry.type)};
    return fnv1a64(entry.payload, fnv1a64(std::as_bytes(std::span(facts)), 7));
}

std::vector<Member> members_of(const Consensus& voter) {
    std::vector<Member> members;
    for (std::size_t i = 0; i < voter.member_count(); ++i) members.push_back(voter.member(i));
    return members;
}

}  // namespace

Cluster::Cluster(std::size_t founders, std::uint64_t seed, const Weather& weather, std::size_t others)
    : weather_(weather), random_(seed), hosts_(founders + others) {
    cut_.assign(size() * size(), false);
    for (std::size_t i = 0; i < size(); ++i) {
        hosts_[i].storage = StorageId{100 + i};
        if (i < founders) founders_.push_back({{id(i), hosts_[i].storage}, Standing::voter});
    }
    for (std::size_t i = 0; i < size(); ++i) {
        hosts_[i].device = std::make_unique<MemoryDevice>(kDeviceBytes);
        VoterProcess::format(*hosts_[i].device, i == 0 ? bootstrap() : std::vector<std::byte>{});
        restart(i);
    }
}

std::vector<std::byte> Cluster::bootstrap() const {
    std::vector<std::byte> bytes;
    for (const Member& member : founders_) bytes.push_back(static_cast<std::byte>(member.id.node.value()));
    return bytes;
}

ConsensusOptions Cluster::options(std::size_t i) const {
    ConsensusOptions options;
    options.self = id(i);
    return options;
}

// ---- Life and death

void Cluster::restart(std::size_t i) {
    Host& host = hosts_[i];
    ++host.life;
    host.process =
        std::make_unique<VoterProcess>(options(i), ProcessLimits{.log_entries = weather_.log_entries}, *host.device, random_.next_u64());
    host.disk_busy = false;
    host.commit = {};
    host.leading = {};
    host.process->founders = founders_;
    host.process->recover();
    ++checks.terms;
    if (host.process->consensus.term() < host.told) violate("term forgotten in a crash");
    note_durable(host);
    host.process->consensus.start(now_, host.storage);
    after_input(i);
}

void Cluster::crash(std::size_t i) {
    Host& host = hosts_[i];
    for (std::size_t c = 0; c < kCounterCount; ++c) host.past[c] += host.process->counters.get(static_cast<Counter>(c));
    if (host.disk_busy && random_.below(2) == 0) (void)host.device->perform(host.op);
    host.process.reset();
    host.device->power_loss(random_, 64);
}

void Cluster::wipe(std::size_t i) {
    Host& host = hosts_[i];
    host.storage = StorageId{host.storage.value() + 1000};
    host.durable_terms.clear();
    host.told = {};
    VoterProcess::format(*host.device, {});
}

void Cluster::isolate(std::size_t i, bool cut_off) {
    for (std::size_t j = 0; j < size(); ++j) {
        cut(i, j, cut_off);
        cut(j, i, cut_off);
    }
}

// ---- Time

void Cluster::run(Duration duration) {
    const Instant end = now_ + duration;
    while (now_ < end) step(end);
}

void Cluster::step(Instant limit) {
    Instant due = limit;
    std::size_t sleeper = size();
    for (std::size_t i = 0; i < size(); ++i) {
        if (up(i) && voter(i).next_deadline() < due) {
            due = voter(i).next_deadline();
            sleeper = i;
        }
    }
    if (!queue_.empty() && queue_.begin()->first.first <= due) {
        now_ = std::max(now_, queue_.begin()->first.first);
        const Pending pending = std::move(queue_.begin()->second);
        queue_.erase(queue_.begin());
        arrive(pending);
        return;
    }
    if (due < now_) violate("a deadline that has passed");
    now_ = std::max(now_, due);
    if (sleeper == size()) return;
    voter(sleeper).on_timeout(now_);
    if (voter(sleeper).next_deadline() <= now_) violate("a timeout that leads nowhere");
    after_input(sleeper);
}

void Cluster::arrive(const Pending& pending) {
    Host& host = hosts_[pending.to];
    if (!host.process || (pending.bytes.empty() && host.life != pending.life)) return;
    VoterProcess& process = *host.process;
    if (pending.bytes.empty()) {
        const Status status = host.device->perform(host.op);
        host.disk_busy = false;
        process.journal.on_complete(host.op.id, status, host.device->bytes_read(host.op));
        note_durable(host);
        process.consensus.on_durable(now_);
    } else {
        auto reader = wire::PacketReader::open(pending.bytes, process.counters);
        DUNLIN_ASSERT(reader.has_value());
        wire::Record record;
        while (reader->next(record)) DUNLIN_ASSERT(process.consensus.on_record(now_, {id(pending.from), pending.storage}, record));
    }
    after_input(pending.to);
}

void Cluster::after_input(std::size_t i) {
    VoterProcess& process = *hosts_[i].process;
    process.on_apply = [this, i](const Entry& entry) { on_apply(i, entry); };
    process.settle();
    check(i);
    start_disk(i);
    send(i);
}

void Cluster::start_disk(std::size_t i) {
    Host& host = hosts_[i];
    if (host.disk_busy) return;
    const auto op = host.process->journal.poll_op();
    if (!op) return;
    host.op = *op;
    host.disk_busy = true;
    const Duration delay = random_.between(microseconds{50}, milliseconds{weather_.disk_max_ms});
    queue_[{now_ + delay, ++order_}] = Pending{i, i, host.life, host.storage, {}};
}

void Cluster::send(std::size_t i) {
    Consensus& sender = voter(i);
    for (std::size_t to = 0; to < size(); ++to) {
        unsigned packets = 0;
        while (to != i && sender.wants_to_send(id(to))) {
            if (++packets > 64) return violate("a voter that never has enough");
            std::vector<std::byte> bytes(kPacketBytes);
            wire::PacketWriter writer(bytes);
            sender.write_records(now_, id(to), writer);
            if (writer.empty()) {
                if (sender.wants_to_send(id(to))) violate("it wants to send and does not");
                break;
            }
            hosts_[i].told = std::max(hosts_[i].told, sender.term());
            bytes.resize(writer.finish(wire::PacketHeader(0, 0, 0, 0, 1, id(i).value(), id(to).value(), 1, 1, 1)));
            if (cut_[i * size() + to] || random_.below(1000) < weather_.loss) continue;
            const unsigned copies = random_.below(1000) < weather_.duplication ? 2 : 1;
            for (unsigned copy = 0; copy < copies; ++copy) {
                const Duration delay = random_.between(milliseconds{weather_.delay_min_ms}, milliseconds{weather_.delay_max_ms});
                queue_[{now_ + delay, ++order_}] = Pending{i, to, 0, hosts_[i].storage, bytes};
            }
        }
    }
}

// ---- Use

std::size_t Cluster::leader() {
    std::size_t best = size();
    for (std::size_t i = 0; i < size(); ++i) {
        if (!up(i) || voter(i).role() != Role::leader) continue;
        if (best == size() || voter(i).term() > voter(best).term()) best = i;
    }
    return best;
}

bool Cluster::propose() {
    const std::size_t at = leader();
    if (at == size()) return false;
    const std::string text = "command " + std::to_string(++proposed_) + std::string(static_cast<std::size_t>(random_.below(100)), '.');
    const bool accepted = voter(at).propose(now_, EntryType::command, text_bytes(text)).ok();
    after_input(at);
    return accepted;
}

Status Cluster::change(ChangeOp op, std::size_t i) {
    const std::size_t at = leader();
    if (at == size()) return Status::not_leader;
    const ConfigChange change{hosts_[i].storage.value(), id(i).value(), static_cast<std::uint8_t>(op), 0, 0};
    const Status status = voter(at).propose_change(now_, change, text_bytes("address")).status();
    after_input(at);
    return status;
}

Standing Cluster::standing(std::size_t i) const {
    for (const Member& row : truth_.rows) {
        if (row.standing != Standing::none && row.id == Voter{id(i), hosts_[i].storage}) return row.standing;
    }
    return Standing::none;
}

void Cluster::read() {
    for (std::size_t i = 0; i < size(); ++i) {
        if (!up(i)) continue;
        const auto ticket = voter(i).begin_read();
        if (!ticket.ok()) continue;
        reads_.push_back({i, hosts_[i].life, ticket.value(), committed_.size()});
        after_input(i);
    }
}

bool Cluster::converged() {
    for (std::size_t i = 0; i < size(); ++i) {
        if (!up(i) || standing(i) == Standing::none) continue;
        if (voter(i).applied().value() != committed_.size() || voter(i).last_index().value() != committed_.size()) return false;
    }
    return true;
}

std::uint32_t Cluster::total(Counter counter) const {
    std::uint32_t sum = 0;
    for (const Host& host : hosts_)
        sum += host.past[static_cast<std::size_t>(counter)] + (host.process ? host.process->counters.get(counter) : 0);
    return sum;
}

// ---- The checkers

void Cluster::on_apply(std::size_t i, const Entry& entry) {
    ++checks.applied;
    const auto at = static_cast<std::size_t>(entry.index.value() - 1);
    const Fact fact{entry.term.value(), hash_of(entry)};
    if (at > committed_.size()) return violate("applied a gap");
    if (at == committed_.size()) {
        committed_.push_back(fact);
        truth_.apply(entry, founders_);
        ++checks.durable;
        if (!survives_where_it_counts(i, at, fact.term))
            violate("committed " + std::to_string(at + 1) + " without a majority that would survive");
    } else if (committed_[at].term != fact.term || committed_[at].hash != fact.hash) {
        violate("node " + std::to_string(i + 1) + " applied another entry at " + std::to_string(at + 1));
    }
}

// Whether a majority of the voters among `members` has the entry on their disks.
bool Cluster::survives(std::size_t at, std::uint64_t term, const std::vector<Member>& members) const {
    std::size_t voters = 0, durable = 0;
    for (const Member& member : members) {
        if (member.standing != Standing::voter) continue;
        ++voters;
        const Host& host = hosts_[member.id.node.value() - 1U];
        durable += host.storage == member.id.storage && host.durable_terms.size() > at && host.durable_terms[at] == term ? 1 : 0;
    }
    return durable >= voters / 2 + 1;
}

// Node i applies what nobody applied before. Its leader committed it, whose members count; where that one is another node, or is
// gone, what node i takes for the members, or what is committed up to here, may have been what counted then.
bool Cluster::survives_where_it_counts(std::size_t i, std::size_t at, std::uint64_t term) const {
    const Consensus& here = hosts_[i].process->consensus;
    if (survives(at, term, members_of(here))) return true;
    if (here.role() == Role::leader) return false;
    for (const Host& host : hosts_) {
        const bool leads = host.process && host.process->consensus.role() == Role::leader;
        if (leads && survives(at, term, members_of(host.process->consensus))) return true;
    }
    return survives(at, term, truth_.members());
}

// What a crash now would leave on this disk.
void Cluster::note_durable(Host& host) {
    const Consensus& voter = host.process->consensus;
    const LogIndex durable = voter.log().durable_index(host.process->journal.durable());
    if (durable < voter.log().base().index) return;
    host.durable_terms.resize(static_cast<std::size_t>(durable.value()));
    for (std::size_t at = 0; at < durable.value(); ++at) {
        const LogIndex index{at + 1};
        if (index >= voter.log().base().index)
            host.durable_terms[at] = voter.log().term_at(index).value();
        else if (at < committed_.size())
            host.durable_terms[at] = committed_[at].term;
    }
}

void Cluster::check(std::size_t i) {
    Host& host = hosts_[i];
    Consensus& voter = host.process->consensus;
    if (voter.commit() < host.commit) violate("commit went back");
    host.commit = voter.commit();

    if (voter.applied().value() != 0) {
        const auto [known, fresh] = state_hash_.try_emplace(voter.applied().value(), host.process->machine.hash);
        if (!fresh && known->second != host.process->machine.hash) violate("two states at one index");
    }
    if (voter.role() == Role::leader && host.leading != voter.term()) {
        host.leading = voter.term();
        ++checks.elections;
        const auto [known, fresh] = leaders_.try_emplace(voter.term(), i);
        if (!fresh && known->second != i) violate("two leaders in term " + std::to_string(voter.term().value()));
        for (std::size_t at = 0; at < committed_.size(); ++at) {
            const LogIndex index{at + 1};
            ++checks.completeness;
            if (index <= voter.log().base().index) continue;
            if (!voter.log().contains(index) || voter.log().term_at(index).value() != committed_[at].term) {
                violate("a leader without committed entry " + std::to_string(at + 1));
                break;
            }
        }
    }
    if (order_ % 16 == 0) check_matching(i);
    std::erase_if(reads_, [&](const PendingRead& pending) {
        if (!up(pending.host) || hosts_[pending.host].life != pending.life) return true;
        const ReadState state = this->voter(pending.host).read_state(pending.ticket);
        if (state != ReadState::ready) return state == ReadState::failed;
        ++checks.reads;
        if (this->voter(pending.host).applied().value() < pending.committed) violate("a read that misses what was committed before it");
        return true;
    });
}

void Cluster::check_matching(std::size_t i) {
    const Log& mine = voter(i).log();
    for (std::size_t j = 0; j < size(); ++j) {
        if (j == i || !up(j)) continue;
        const Log& other = voter(j).log();
        bool equal = false;  // from here down
        for (LogIndex index = std::min(mine.last_index(), other.last_index()); mine.contains(index) && other.contains(index);
             index = index.previous()) {
            ++checks.matching;
            const bool same_term = mine.term_at(index) == other.term_at(index);
            if (same_term && hash_of(mine.entry(index)) != hash_of(other.entry(index))) violate("two entries of one index and term");
            if (equal && !same_term) violate("logs that agree above and differ below");
            equal = equal || same_term;
        }
    }
}

}  // namespace dunlin::consensus::test
