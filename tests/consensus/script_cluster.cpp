#include "consensus/script_cluster.hpp"

#include "consensus/script_packets.hpp"

#include <algorithm>
#include <charconv>

namespace dunlin::consensus::test {
namespace {

constexpr std::size_t kDeviceBytes = 64 * 1024;
constexpr std::size_t kPacketBytes = 1200;
constexpr std::size_t kPacketsAtOnceMax = 1000;

// The number at the start of `text`; 0: none.
std::size_t number(std::string_view text) {
    std::size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string_view role_name(Role role) {
    switch (role) {
        case Role::member: return "member";
        case Role::follower: return "follower";
        case Role::pre_candidate: return "pre-candidate";
        case Role::candidate: return "candidate";
        case Role::leader: return "leader";
    }
    return "?";
}

}  // namespace

ScriptCluster::ScriptCluster(std::size_t voters, std::size_t nodes, std::size_t log_entries)
    : log_entries_(log_entries), hosts_(std::max(voters, nodes)) {
    std::string bootstrap;
    for (std::size_t i = 1; i <= voters; ++i) {
        founders_.push_back({{NodeId{static_cast<std::uint16_t>(i)}, StorageId{100 + i}}, Standing::voter});
    }
    for (std::size_t i = 1; i <= voters; ++i) bootstrap += static_cast<char>(i);
    for (std::size_t i = 1; i <= hosts_.size(); ++i) {
        host(i).storage = StorageId{100 + i};
        host(i).device = std::make_unique<MemoryDevice>(kDeviceBytes);
        VoterProcess::format(*host(i).device, i <= voters ? text_bytes(bootstrap) : std::span<const std::byte>{});
        boot(i);
    }
}

void ScriptCluster::boot(std::size_t i) {
    ConsensusOptions options;
    options.self = NodeId{static_cast<std::uint16_t>(i)};
    host(i).process = std::make_unique<VoterProcess>(options, ProcessLimits{.log_entries = log_entries_}, *host(i).device, i);
    host(i).process->founders = founders_;
    host(i).process->recover();
    voter(i).start(host(i).clock, host(i).storage);
    after_input(i);
}

void ScriptCluster::after_input(std::size_t i) {
    host(i).process->settle();
    if (!host(i).disk_stopped) host(i).process->sync(host(i).clock);
    send(i);
}

void ScriptCluster::send(std::size_t i) {
    for (std::size_t to = 1; to <= hosts_.size(); ++to) {
        const NodeId node{static_cast<std::uint16_t>(to)};
        while (to != i && voter(i).wants_to_send(node)) {
            std::vector<std::byte> bytes(kPacketBytes);
            wire::PacketWriter writer(bytes);
            voter(i).write_records(host(i).clock, node, writer);
            if (writer.empty()) break;
            const auto from = static_cast<std::uint16_t>(i);
            bytes.resize(writer.finish(wire::PacketHeader(0, 0, 0, 0, 1, from, node.value(), 1, 1, 1)));
            if (!host(i).cut && !host(to).cut) packets_[{i, to}].push_back({host(i).storage, std::move(bytes)});
        }
    }
}

void ScriptCluster::deliver(const Way& way) {
    std::deque<Packet>& waiting = packets_[way];
    const Packet packet = std::move(waiting.front());
    waiting.pop_front();
    if (!up(way.second)) return;
    VoterProcess& process = *host(way.second).process;
    auto reader = wire::PacketReader::open(packet.bytes, process.counters);
    DUNLIN_ASSERT(reader.has_value());
    wire::Record record;
    const Origin from{NodeId{static_cast<std::uint16_t>(way.first)}, packet.from};
    while (reader->next(record)) DUNLIN_ASSERT(process.consensus.on_record(host(way.second).clock, from, record));
    after_input(way.second);
}

// Round by round, so that answers come after what was under way before them.
void ScriptCluster::deliver_all() {
    for (std::size_t delivered = 0;;) {
        std::vector<Way> ways;
        for (const auto& [way, waiting] : packets_) ways.insert(ways.end(), waiting.size(), way);
        if (ways.empty()) return;
        for (const Way& way : ways) deliver(way);
        delivered += ways.size();
        if (delivered > kPacketsAtOnceMax) return say("? they never stop talking");
    }
}

void ScriptCluster::wait(std::size_t i, Duration duration) {
    const Instant end = host(i).clock + duration;
    while (voter(i).next_deadline() <= end) {
        host(i).clock = std::max(host(i).clock, voter(i).next_deadline());
        voter(i).on_timeout(host(i).clock);
        after_input(i);
    }
    host(i).clock = end;
}

// ---- Steps

std::vector<std::string> ScriptCluster::run(const std::vector<std::string>& words) {
    said_.clear();
    do_step(words);
    look_at_reads();
    for (std::size_t i = 1; i <= hosts_.size(); ++i) {
        std::string now = state(i);
        if (now == host(i).shown) continue;
        say(now);
        host(i).shown = std::move(now);
    }
    return said_;
}

void ScriptCluster::do_step(const std::vector<std::string>& words) {
    const std::string& verb = words.front();
    if (verb == "start") return;  // says who is there
    if (verb == "deliver" || verb == "drop" || verb == "packets") return on_network(words);
    const std::size_t node = words.size() > 1 ? number(words[1]) : 0;
    if (!known(node)) return say("? which node?");
    const bool about_machine = verb == "cut" || verb == "heal" || verb == "crash" || verb == "restart" || verb == "disk";
    if (about_machine) return on_machine(words);
    if (!up(node)) return say("? node " + std::to_string(node) + " is down");
    if (verb == "timeout" || verb == "wait" || verb == "sleep") return on_time(words);
    on_use(words);
}

void ScriptCluster::on_time(const std::vector<std::string>& words) {
    if (words[0] == "timeout") {
        const std::size_t i = number(words[1]);
        if (voter(i).next_deadline() == kNever) return say("? it waits for nothing");
        return wait(i, std::max(voter(i).next_deadline() - host(i).clock, Duration::zero()));
    }
    const std::string& last = words.back();
    if (!last.ends_with("ms")) return say("? wait|sleep NODE... TIMEms");
    for (std::size_t at = 1; at + 1 < words.size(); ++at) {
        const std::size_t i = number(words[at]);
        if (!known(i) || !up(i)) return say("? which node?");
        const Duration duration = milliseconds{static_cast<std::int64_t>(number(last))};
        if (words[0] == "wait")
            wait(i, duration);
        else
            host(i).clock += duration;  // what has fallen due by then is looked at later
    }
}

void ScriptCluster::on_network(const std::vector<std::string>& words) {
    if (words[0] == "packets") return show_packets(words);
    if (words.size() == 1) {
        if (words[0] == "deliver") return deliver_all();
        return packets_.clear();
    }
    for (std::size_t at = 1; at < words.size(); ++at) {
        const std::size_t arrow = words[at].find('>');
        const Way way{number(words[at]), arrow == std::string::npos ? 0 : number(std::string_view(words[at]).substr(arrow + 1))};
        if (!known(way.first) || !known(way.second)) return say("? FROM>TO or FROM>TOxCOUNT");
        if (words[0] == "drop") {
            packets_[way].clear();
            continue;
        }
        const std::size_t times = words[at].find('x');
        const std::size_t wanted = times == std::string::npos ? kPacketsAtOnceMax : number(std::string_view(words[at]).substr(times + 1));
        for (std::size_t count = std::min(wanted, packets_[way].size()); count > 0; --count) deliver(way);
    }
}

void ScriptCluster::on_machine(const std::vector<std::string>& words) {
    Host& at = host(number(words[1]));
    const std::size_t i = number(words[1]);
    if (words[0] == "cut" || words[0] == "heal") {
        at.cut = words[0] == "cut";
        if (at.cut) std::erase_if(packets_, [&](const auto& each) { return each.first.first == i || each.first.second == i; });
    } else if (words[0] == "crash") {
        at.process.reset();
        at.disk_stopped = false;
        at.device->power_loss_keeping({});
        std::erase_if(reads_, [&](const Read& read) { return read.host == i; });
    } else if (words[0] == "restart") {
        at.process.reset();
        boot(i);
    } else if (words.size() == 3 && up(i)) {
        at.disk_stopped = words[2] == "stops";
        after_input(i);
    } else {
        say("? disk NODE stops|goes");
    }
}

void ScriptCluster::on_use(const std::vector<std::string>& words) {
    const std::size_t i = number(words[1]);
    const Instant now = host(i).clock;
    if (words[0] == "propose") {
        const std::string payload(words.size() > 3 ? number(words[3]) : 8, '.');
        for (std::size_t count = words.size() > 2 ? number(words[2]) : 1; count > 0; --count) {
            const auto proposed = voter(i).propose(now, EntryType::command, text_bytes(payload));
            if (!proposed.ok()) return say(std::string(to_string(proposed.status())));
            after_input(i);
        }
    } else if (words[0] == "read") {
        const auto ticket = voter(i).begin_read();
        if (!ticket.ok()) return say(std::string(to_string(ticket.status())));
        reads_.push_back({++reads_begun_, i, ticket.value()});
        after_input(i);
    } else if (words[0] == "transfer") {
        const NodeId to{static_cast<std::uint16_t>(words.size() > 2 ? number(words[2]) : 0)};
        if (!voter(i).hand_over(now, to)) say("no");
        after_input(i);
    } else if (words[0] == "change") {
        change_members(i, words);
    } else {
        say("? no step '" + words[0] + "'");
    }
}

// change NODE add|promote|demote|remove MEMBER
void ScriptCluster::change_members(std::size_t i, const std::vector<std::string>& words) {
    constexpr std::array<std::string_view, 4> kOps{"add", "promote", "demote", "remove"};
    const auto op = words.size() == 4 ? std::ranges::find(kOps, words[2]) : kOps.end();
    const std::size_t member = words.size() == 4 ? number(words[3]) : 0;
    if (op == kOps.end() || !known(member)) return say("? change NODE add|promote|demote|remove MEMBER");
    const ConfigChange change{.storage = host(member).storage.value(),
                              .node = static_cast<std::uint16_t>(member),
                              .op = static_cast<std::uint8_t>(op - kOps.begin() + 1),
                              .reserved0 = 0,
                              .reserved1 = 0};
    const auto proposed = voter(i).propose_change(host(i).clock, change, {});
    if (!proposed.ok()) return say(std::string(to_string(proposed.status())));
    after_input(i);
}

// ---- What is shown

void ScriptCluster::look_at_reads() {
    std::erase_if(reads_, [&](const Read& read) {
        const ReadState state = voter(read.host).read_state(read.ticket);
        if (state == ReadState::waiting) return false;
        say("read " + std::to_string(read.number) + (state == ReadState::ready ? " ready" : " failed"));
        return true;
    });
}

void ScriptCluster::show_packets(const std::vector<std::string>& words) {
    for (const auto& [way, waiting] : packets_) {
        const std::string name = std::to_string(way.first) + ">" + std::to_string(way.second);
        if (words.size() > 1 && std::ranges::find(words, name) == words.end()) continue;
        for (const Packet& packet : waiting) {
            for (const std::string& record : describe_records(packet.bytes)) say(name + " " + record);
        }
    }
}

// " members 1 2 (4)", a learner in brackets; nothing where they are the founders.
std::string ScriptCluster::members(const Consensus& raft) const {
    std::vector<Member> rows;
    for (std::size_t i = 0; i < raft.member_count(); ++i) rows.push_back(raft.member(i));
    std::ranges::sort(rows, {}, [](const Member& row) { return row.id.node; });
    const auto is_founder = [](const Member& row, const Member& founder) {
        return row.id == founder.id && row.standing == founder.standing;
    };
    if (rows.empty() || std::ranges::equal(rows, founders_, is_founder)) return {};
    std::string text = " members";
    for (const Member& row : rows) {
        const std::string node = std::to_string(row.id.node.value());
        text += " " + (row.standing == Standing::voter ? node : "(" + node + ")");
    }
    return text;
}

// "2 follower  t3 log 1,2,3 commit 2": the term of each entry in the ring; what an image holds instead as "(index.term)".
std::string ScriptCluster::state(std::size_t i) const {
    const Host& at = hosts_[i - 1];
    std::string text = std::to_string(i) + " ";
    if (at.process == nullptr) return text + "down";
    const Consensus& raft = at.process->consensus;
    text += std::string(role_name(raft.role())) + " t" + std::to_string(raft.term().value()) + " log ";
    const Log& log = raft.log();
    std::string terms;
    if (log.base().index != LogIndex{})
        terms = "(" + std::to_string(log.base().index.value()) + "." + std::to_string(log.base().term.value()) + ")";
    for (LogIndex index = log.base().index.next(); index <= log.last_index(); index = index.next())
        terms += (terms.empty() ? "" : ",") + std::to_string(log.term_at(index).value());
    text += (terms.empty() ? "-" : terms) + " commit " + std::to_string(raft.commit().value()) + members(raft);
    if (raft.stopped() != Status::ok) text += " stopped: " + std::string(to_string(raft.stopped()));
    return text;
}

}  // namespace dunlin::consensus::test
