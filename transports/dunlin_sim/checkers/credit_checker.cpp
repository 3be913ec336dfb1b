#include <dunlin_sim/checkers/credit_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <cstring>
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
        publishes.sent = {};
        publishes.last = {};
    }
    for_each_record(bytes, [&](const wire::Record& record) {
        Pair& subscribes = pair(to, process);
        if (record.type == wire::RecordType::hello) {
            const auto hello = record.as<wire::Hello>();
            publishes.stream = StreamId{hello.stream()};
            subscribes.allowed = std::max<std::uint64_t>(subscribes.allowed, hello.credit_messages());
        } else if (record.type == wire::RecordType::settlement) {
            on_settlement(subscribes, record);
        } else if (record.type == wire::RecordType::run) {
            const std::size_t lane = record.as<wire::Run>().lane() % kLanesMax;
            for_each_message(record, [&](const SentMessage& message) { on_message(at, process, to, lane, message.sequence); });
        }
    });
}

void CreditChecker::on_message(Instant at, std::size_t process, std::size_t to, std::size_t lane, std::uint64_t sequence) {
    Pair& sender = pair(process, to);
    if (sequence <= sender.last[lane]) return;
    sender.last[lane] = sequence;
    if (is_settled(sender, lane, sequence)) return;
    sender.sent[lane].push_back(sequence);
    if (sender.allowed == 0) return;
    const std::size_t under_way = sender.sent[lane].size();
    verdict_.check(credit_, under_way <= std::max<std::uint64_t>(sender.allowed, 1), at, [&] {
        return "process " + std::to_string(process) + " has " + std::to_string(under_way) + " messages under way to process " +
               std::to_string(to) + ", which never allowed more than " + std::to_string(sender.allowed);
    });
}

bool CreditChecker::needs_none(std::size_t process, std::size_t to, std::size_t lane, std::uint64_t sequence) {
    const Pair& sender = pair(process, to);
    return sequence < sender.last[lane] || sender.sent[lane].empty() || sender.sent[lane].front() >= sequence;
}

void CreditChecker::on_settlement(Pair& pair, const wire::Record& record) {
    const auto settlement = record.as<wire::Settlement>();
    pair.allowed = std::max<std::uint64_t>(pair.allowed, settlement.credit_messages());
    SettledSequences told{StreamId{settlement.stream()}, settlement.cumulative(), {}};
    told.words.resize(settlement.bitmap_words());
    if (record.bytes.size() < told.words.size() * sizeof(std::uint64_t)) return;
    if (!told.words.empty()) std::memcpy(told.words.data(), record.bytes.data(), told.words.size() * sizeof(std::uint64_t));
    const std::size_t lane = settlement.lane() % kLanesMax;
    pair.settled[lane] = std::move(told);
    std::erase_if(pair.sent[lane], [&](std::uint64_t sequence) { return is_settled(pair, lane, sequence); });
}

bool CreditChecker::is_settled(const Pair& pair, std::size_t lane, std::uint64_t sequence) {
    return pair.settled[lane].stream == pair.stream && pair.settled[lane].contains(sequence);
}

}  // namespace dunlin::sim
