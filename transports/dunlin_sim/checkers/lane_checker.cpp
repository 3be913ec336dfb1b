#include <dunlin_sim/checkers/lane_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <cstring>
#include <string>

namespace dunlin::sim {
namespace {

// As the workload's payloads begin.
struct Head {
    std::uint32_t publisher;
    std::uint32_t life;
    std::uint64_t number;
};

}  // namespace

LaneChecker::LaneChecker(World& world, Verdict& verdict)
    : world_(world), verdict_(verdict), waits_(verdict.expect("urgent does not wait behind the others", Verdict::Occasion::rare)) {
    world.observe(*this);
}

void LaneChecker::resize() {
    if (sent_.size() == world_.size()) return;
    sent_.resize(world_.size());
    for (std::vector<Sent>& each : sent_) each.resize(world_.size());
    waiting_.resize(world_.size());
}

void LaneChecker::published_urgent(std::size_t process, std::uint64_t number) {
    resize();
    std::map<std::uint64_t, Waiting>& waiting = waiting_[process];
    waiting[number] = {.since = sent_[process], .left = std::vector<bool>(world_.size())};
    if (waiting.size() > kWaitingMax) waiting.erase(waiting.begin());
}

void LaneChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    resize();
    bool urgent = false;
    bool others = false;
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::run) return;
        const bool is_urgent = record.as<wire::Run>().lane() == index_of(Lane::urgent);
        (is_urgent ? urgent : others) = true;
        if (!is_urgent) return;
        for_each_message(record, [&](const SentMessage& message) {
            const auto has = [&](wire::MessageFlag flag) { return (message.head.flags() & static_cast<std::uint8_t>(flag)) != 0; };
            const std::size_t blocks = link::blocks_bytes(has(wire::MessageFlag::fence), has(wire::MessageFlag::explicit_key));
            Head head{};
            if (message.place != message.sequence || message.body.size() < blocks + sizeof(head)) return;
            std::memcpy(&head, message.body.data() + blocks, sizeof(head));
            if (head.publisher == process) check_first(at, process, to, head.number);
        });
    });
    sent_[process][to].urgent += urgent ? 1 : 0;
    sent_[process][to].others += others ? 1 : 0;
}

void LaneChecker::check_first(Instant at, std::size_t process, std::size_t to, std::uint64_t number) {
    const auto found = waiting_[process].find(number);
    if (found == waiting_[process].end() || found->second.left[to]) return;
    found->second.left[to] = true;
    const std::uint64_t others = sent_[process][to].others - found->second.since[to].others;
    const std::uint64_t urgent = sent_[process][to].urgent - found->second.since[to].urgent;
    verdict_.check(waits_, others <= kOthersMax + urgent / kOthersShare, at, [&] {
        return "number " + std::to_string(number) + " of process " + std::to_string(process) + " left for process " + std::to_string(to) +
               " behind " + std::to_string(others) + " packets of other lanes and " + std::to_string(urgent) + " of its own";
    });
}

void LaneChecker::on_crash(Instant, std::size_t process, const Node&) {
    resize();
    waiting_[process].clear();
}

}  // namespace dunlin::sim
