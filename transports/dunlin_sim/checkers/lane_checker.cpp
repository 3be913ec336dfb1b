#include <dunlin_sim/checkers/lane_checker.hpp>

#include <dunlin_sim/checkers/message_key.hpp>
#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace dunlin::sim {

LaneChecker::LaneChecker(World& world, Verdict& verdict, CreditChecker& credits, DurableStates& durable)
    : world_(world),
      verdict_(verdict),
      credits_(credits),
      durable_(durable),
      waits_(verdict.expect("urgent does not wait behind the others", Verdict::Occasion::rare)),
      turns_(verdict.expect("no lane waits for ever", Verdict::Occasion::rare)) {
    world.observe(*this);
}

void LaneChecker::resize() {
    if (sent_.size() == world_.size()) return;
    sent_.resize(world_.size());
    for (std::vector<Sent>& each : sent_) each.resize(world_.size());
    waiting_.resize(world_.size());
    syncs_.resize(world_.size());
}

void LaneChecker::published(std::size_t process, std::uint64_t number, Lane lane, PublishId in_journal) {
    resize();
    std::map<std::uint64_t, Waiting>& waiting = waiting_[process];
    waiting[number] = {.lane = lane,
                       .in_journal = in_journal,
                       .journalled = in_journal != PublishId{},
                       .since = sent_[process],
                       .left = std::vector<bool>(world_.size())};
    if (waiting.size() > kWaitingMax) waiting.erase(waiting.begin());
}

void LaneChecker::on_step(Instant, std::size_t process, const Node&) {
    resize();
    const std::uint64_t syncs = world_.process(process).disk.syncs();
    if (syncs != syncs_[process]) take_durable(process);
    syncs_[process] = syncs;
}

void LaneChecker::take_durable(std::size_t process) {
    for (auto& [number, waiting] : waiting_[process]) {
        if (waiting.in_journal == PublishId{} || !durable_.of(process).bus().holds(waiting.in_journal)) continue;
        waiting.in_journal = {};
        waiting.since = sent_[process];
    }
}

void LaneChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    resize();
    std::array<bool, kLanesMax> used{};
    bool urgent = false;
    bool others = false;
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type == wire::RecordType::skip && record.as<wire::Skip>().lane() < kLanesMax)
            used[record.as<wire::Skip>().lane()] = true;
        if (record.type != wire::RecordType::run || record.as<wire::Run>().lane() >= kLanesMax) return;
        const Lane lane{record.as<wire::Run>().lane()};
        used[index_of(lane)] = true;
        urgent = urgent || lane == Lane::urgent;
        for_each_message(record, [&](const SentMessage& message) {
            const bool begins = message.place == message.sequence;
            const bool used_credit = begins && !credits_.needs_none(process, to, index_of(lane), message.sequence);
            others = others || (lane != Lane::urgent && used_credit);
            const auto has = [&](wire::MessageFlag flag) { return (message.head.flags() & static_cast<std::uint8_t>(flag)) != 0; };
            const std::size_t blocks = link::blocks_bytes(has(wire::MessageFlag::fence), has(wire::MessageFlag::explicit_key));
            MessageKey key;
            if (!begins || message.body.size() < blocks + sizeof(key)) return;
            std::memcpy(&key, message.body.data() + blocks, sizeof(key));
            if (key.publisher == process) check_first(at, process, to, key.number, lane, used_credit);
        });
    });
    Sent& sent = sent_[process][to];
    sent.urgent += urgent ? 1 : 0;
    sent.others += others ? 1 : 0;
    for (std::size_t i = 0; i < kLanesMax; ++i) {
        if (used[i]) sent.urgent_at_last[i] = sent.urgent;
    }
}

void LaneChecker::on_receive(Instant, std::size_t process, std::size_t from, std::span<const std::byte> bytes) {
    if (!settles(bytes)) return;
    resize();
    Sent& sent = sent_[process][from];
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::settlement || record.as<wire::Settlement>().lane() >= kLanesMax) return;
        sent.urgent_at_last[record.as<wire::Settlement>().lane()] = sent.urgent;
    });
}

// A message goes in the normal lane where the peer has not its own: then there is nothing to hold it against.
void LaneChecker::check_first(Instant at, std::size_t process, std::size_t to, std::uint64_t number, Lane lane, bool used_credit) {
    const auto found = waiting_[process].find(number);
    if (found == waiting_[process].end() || found->second.left[to]) return;
    found->second.left[to] = true;
    if (found->second.lane != lane || found->second.in_journal != PublishId{}) return;
    const Sent& since = found->second.since[to];
    if (lane == Lane::urgent) {
        if (!found->second.journalled) check_urgent(at, process, to, number, since);
        return;
    }
    if (!used_credit) check_turn(at, process, to, number, found->second);
}

void LaneChecker::check_urgent(Instant at, std::size_t process, std::size_t to, std::uint64_t number, const Sent& since) {
    const std::uint64_t others = sent_[process][to].others - since.others;
    const std::uint64_t urgent = sent_[process][to].urgent - since.urgent;
    verdict_.check(waits_, others <= kOthersMax + urgent / kOthersShare, at, [&] {
        return "number " + std::to_string(number) + " of process " + std::to_string(process) + " left for process " + std::to_string(to) +
               " behind " + std::to_string(others) + " packets of other lanes and " + std::to_string(urgent) + " of its own";
    });
}

void LaneChecker::check_turn(Instant at, std::size_t process, std::size_t to, std::uint64_t number, const Waiting& waiting) {
    const Lane lane = waiting.lane;
    const Sent& sent = sent_[process][to];
    const std::uint64_t passed = sent.urgent - std::max(waiting.since[to].urgent, sent.urgent_at_last[index_of(lane)]);
    verdict_.check(turns_, passed <= (waiting.journalled ? kPassedWithJournal : kPassedMax), at, [&] {
        return "number " + std::to_string(number) + " of process " + std::to_string(process) + " in lane " +
               std::to_string(index_of(lane)) + " left for process " + std::to_string(to) + " only after " + std::to_string(passed) +
               " urgent packets";
    });
}

void LaneChecker::on_crash(Instant, std::size_t process, const Node&) {
    resize();
    waiting_[process].clear();
}

}  // namespace dunlin::sim
