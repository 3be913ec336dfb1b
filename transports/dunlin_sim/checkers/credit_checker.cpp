#include <dunlin_sim/checkers/credit_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

CreditChecker::CreditChecker(World& world, Verdict& verdict)
    : world_(world), verdict_(verdict), credit_(verdict.expect("no more is under way than there is credit for")) {
    world.observe(*this);
}

CreditChecker::Pair& CreditChecker::pair(std::size_t publisher, std::size_t subscriber) {
    if (pairs_.size() != world_.size() * world_.size()) pairs_.resize(world_.size() * world_.size());
    return pairs_[publisher * world_.size() + subscriber];
}

void CreditChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    if (bytes.size() < wire::kHeaderBytes) return;
    const std::uint64_t session = wire::load<wire::PacketHeader>(bytes).session();
    Pair& publishes = pair(process, to);
    if (session != 0 && session != publishes.session) {
        publishes.session = session;
        publishes.under_way = {};
        publishes.skipped = {};
        publishes.last = {};
    }
    for_each_record(bytes, [&](const wire::Record& record) {
        Pair& subscribes = pair(to, process);
        if (record.type == wire::RecordType::hello) {
            const auto hello = record.as<wire::Hello>();
            publishes.stream = StreamId{hello.stream()};
            subscribes.allowed = std::max<std::uint64_t>(subscribes.allowed, hello.credit_messages());
        } else if (record.type == wire::RecordType::settlement) {
            subscribes.allowed = std::max<std::uint64_t>(subscribes.allowed, record.as<wire::Settlement>().credit_messages());
        } else if (record.type == wire::RecordType::skip) {
            on_skip(publishes, record);
        } else if (record.type == wire::RecordType::run) {
            const std::size_t lane = record.as<wire::Run>().lane() % kLanesMax;
            for_each_message(record, [&](const SentMessage& message) { on_message(at, process, to, lane, message.sequence); });
        }
    });
}

void CreditChecker::on_receive(Instant, std::size_t process, std::size_t from, std::span<const std::byte> bytes) {
    if (!settles(bytes)) return;
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type == wire::RecordType::settlement) on_settlement(pair(process, from), record);
    });
}

void CreditChecker::on_event(Instant at, std::size_t process, const Node&, const Event& event) {
    const bool by_itself = event.outcome == Outcome::expired || event.outcome == Outcome::subscriber_gone;
    const std::size_t to = event.node.value() - 1U;
    if (event.kind == EventKind::outcome && by_itself && to < world_.size()) pair(process, to).ended.push_back(at);
}

void CreditChecker::on_message(Instant at, std::size_t process, std::size_t to, std::size_t lane, std::uint64_t sequence) {
    Pair& sender = pair(process, to);
    if (sequence <= sender.last[lane]) return;
    sender.last[lane] = sequence;
    if (is_settled(sender, lane, sequence)) return;
    sender.under_way[lane].insert(sequence);
    if (sender.allowed == 0) return;
    const std::size_t under_way = sender.under_way[lane].size();
    while (!sender.ended.empty() && sender.ended.front() + kEndedFor <= at) sender.ended.pop_front();
    const bool beyond = under_way > std::max<std::uint64_t>(sender.allowed, 1) + sender.ended.size();
    std::array<Instant, kAtOnce>& before = sender.beyond[lane];
    const bool seldom = at >= before.front() + kAtOnce * kBetween;
    if (beyond) {
        std::rotate(before.begin(), before.begin() + 1, before.end());
        before.back() = at;
    }
    verdict_.check(credit_, !beyond || seldom, at, [&] {
        return "process " + std::to_string(process) + " has " + std::to_string(under_way) + " messages under way to process " +
               std::to_string(to) + ", which never allowed more than " + std::to_string(sender.allowed);
    });
}

bool CreditChecker::needs_none(std::size_t process, std::size_t to, std::size_t lane, std::uint64_t sequence) {
    const Pair& sender = pair(process, to);
    const auto before = [sequence](const std::set<std::uint64_t>& all) { return !all.empty() && *all.begin() < sequence; };
    return !before(sender.under_way[lane]) && !before(sender.skipped[lane]);
}

void CreditChecker::on_skip(Pair& pair, const wire::Record& record) {
    const auto skip = record.as<wire::Skip>();
    const std::size_t lane = skip.lane() % kLanesMax;
    for (std::uint64_t sequence = skip.first(); sequence < skip.first() + skip.count(); ++sequence) {
        if (!is_settled(pair, lane, sequence)) pair.skipped[lane].insert(sequence);
    }
}

void CreditChecker::on_settlement(Pair& pair, const wire::Record& record) {
    std::optional<SettledSequences> told = settled_in(record);
    if (!told) return;
    const std::size_t lane = record.as<wire::Settlement>().lane() % kLanesMax;
    pair.settled[lane] = std::move(*told);
    const auto settled = [&](std::uint64_t sequence) { return is_settled(pair, lane, sequence); };
    std::erase_if(pair.under_way[lane], settled);
    std::erase_if(pair.skipped[lane], settled);
}

bool CreditChecker::is_settled(const Pair& pair, std::size_t lane, std::uint64_t sequence) {
    return pair.settled[lane].stream == pair.stream && pair.settled[lane].contains(sequence);
}

}  // namespace dunlin::sim
