#include <dunlin_sim/scenario/scenario.hpp>

#include <dunlin_sim/scenario/scenario_words.hpp>
#include <dunlin_sim/workload/host.hpp>

#include <algorithm>
#include <array>

namespace dunlin::sim {
namespace {

constexpr std::string_view kNoDisk = "only a journal knows what was sent long ago";

class Parser {
  public:
    explicit Parser(std::string_view file) { scenario_.file = file; }

    void line(std::size_t number, std::string_view text) {
        Words words(text);
        if (words.empty()) return;
        const std::string verb = words.text("a step");
        if (scenario_.nodes.empty() != (verb == "nodes")) throw Unreadable("'nodes' comes first, and once");
        constexpr std::array<std::string_view, 8> kSetup{"nodes", "seed", "packets", "clock", "scarce", "diskless", "sent", "strangers"};
        if (std::ranges::find(kSetup, verb) != kSetup.end()) {
            if (!scenario_.steps.empty()) throw Unreadable("'" + verb + "' comes before the first step");
            setup(verb, words);
        } else {
            scenario_.steps.push_back({number, words.all(), action(verb, words)});
        }
        words.end();
    }
    [[nodiscard]] Scenario take() { return std::move(scenario_); }

  private:
    void setup(const std::string& verb, Words& words) {
        if (verb == "nodes") return nodes(words);
        if (verb == "seed") scenario_.seed = count(words.word("a seed"));
        if (verb == "strangers") scenario_.strangers = true;
        if (verb == "packets") {
            const std::uint64_t bytes = count(words.word("a number of bytes"));
            if (bytes < wire::kPacketBytesMin || bytes > 1472) throw Unreadable("packets have 576 to 1472 bytes");
            scenario_.packet_bytes = static_cast<std::uint16_t>(bytes);
        }
        if (verb == "scarce") {
            if (words.empty()) scenario_.scarce = true;
            while (!words.empty()) node(words).scarce = true;
        }
        if (verb == "diskless") {
            const std::size_t process = number(words.word("a node"));
            if (process < scenario_.voters) throw Unreadable("a voter has a disk");
            scenario_.nodes[process].diskless = true;
            if (scenario_.nodes[process].sent != 0) throw Unreadable(std::string(kNoDisk));
        }
        if (verb == "sent") {
            NodeSetup& sender = node(words);
            sender.sent = count(words.word("a number of messages"));
            if (sender.diskless) throw Unreadable(std::string(kNoDisk));
        }
        if (verb == "clock") {
            NodeSetup& clocked = node(words);
            set_clock(clocked, words.word("a rate or a time"));
        }
    }
    void nodes(Words& words) {
        const std::uint64_t nodes = count(words.word("a number of nodes"));
        scenario_.voters = words.take("voters") ? count(words.word("a number of voters")) : nodes;
        const bool fits = nodes >= 1 && nodes <= kNodesMax && scenario_.voters >= 1 && scenario_.voters <= std::min<std::size_t>(nodes, 7);
        if (!fits) throw Unreadable("there can be 1 to " + std::to_string(kNodesMax) + " nodes, and 1 to 7 voters among them");
        scenario_.nodes.resize(nodes);
    }
    static void set_clock(NodeSetup& node, std::string_view error) {
        const bool slow = error.front() == '-';
        if (!slow && error.front() != '+') throw Unreadable("'" + std::string(error) + "' needs a sign: +900ppm, -900ppm, +1h");
        if (error.ends_with("ppm")) {
            const auto ppm = static_cast<std::int64_t>(quantity(error.substr(1), "a rate such as +900ppm").number);
            if (ppm > 500'000) throw Unreadable("a clock is at most 500000ppm off");
            node.clock_rate_ppm = slow ? -ppm : ppm;
        } else {
            if (slow) throw Unreadable("a clock starts at 0 at the earliest: set the others ahead");
            node.clock_offset = duration(error.substr(1));
        }
    }
    [[nodiscard]] NodeSetup& node(Words& words) { return scenario_.nodes[number(words.word("a node"))]; }

    [[nodiscard]] std::size_t number(std::string_view word) const {
        const std::uint64_t node = count(word, "a node");
        if (node < 1 || node > scenario_.nodes.size())
            throw Unreadable("there is no node " + std::string(word) + ": they are 1 to " + std::to_string(scenario_.nodes.size()));
        return node - 1;
    }
    [[nodiscard]] Who who(Words& words) const {
        if (words.take("leader")) return {Who::Kind::leader};
        if (words.take("it")) return {Who::Kind::it};
        if (words.take("holder")) return {Who::Kind::holder, 0, words.text("a lease")};
        return {Who::Kind::number, number(words.word("a node"))};
    }
    [[nodiscard]] Group group(Words& words) const {
        if (words.take("others")) return {true};
        Group group;
        do group.nodes.push_back(who(words));
        while (!words.empty());
        return group;
    }

    [[nodiscard]] Action action(const std::string& verb, Words& words) const {
        if (verb == "loss") return SetLoss{share_ppm(words.word("a share"), "loss")};
        if (verb == "bare") return SetBare{share_ppm(words.word("a share"), "bare")};
        if (verb == "heal") return Heal{};
        if (verb == "cut" || verb == "part") {
            Who from = who(words);
            Who to = who(words);
            const bool same = from.kind == to.kind && from.process == to.process && from.lease == to.lease;
            if (same) throw Unreadable("'" + verb + "' needs two nodes, not one twice");
            return Cut{std::move(from), std::move(to), verb == "part"};
        }
        if (verb == "narrow") {
            Who one = who(words);
            Who other = who(words);
            return Narrow{std::move(one), std::move(other), static_cast<std::uint32_t>(count(words.word("a number of bytes")))};
        }
        if (verb == "late") {
            Who from = who(words);
            Who to = who(words);
            return Late{std::move(from), std::move(to), duration(words.word("a time"))};
        }
        if (verb == "isolate") return Strike{Strike::Kind::isolate, who(words)};
        if (verb == "crash") return crash(words);
        if (verb == "restart") return Strike{Strike::Kind::restart, who(words)};
        if (verb == "shutdown") return Strike{Strike::Kind::shutdown, who(words)};
        if (verb == "pause") return Strike{Strike::Kind::pause, who(words)};
        if (verb == "resume") return Strike{Strike::Kind::resume, who(words)};
        if (verb == "wipe") return Strike{Strike::Kind::wipe, who(words)};
        if (verb == "format") return Strike{Strike::Kind::format, who(words)};
        if (verb == "freeze") return Strike{Strike::Kind::freeze, who(words)};
        if (verb == "thaw") return Strike{Strike::Kind::thaw, who(words)};
        if (verb == "rot") {
            Who node = who(words);
            const bool middle = words.take("middle");
            if (!middle) words.need("tail");
            return Strike{middle ? Strike::Kind::rot_middle : Strike::Kind::rot_tail, std::move(node)};
        }
        if (verb == "keep") return Copies{who(words), false};
        if (verb == "repeat") return Copies{who(words), true};
        if (verb == "meet") return words.need("strangers"), meeting();
        if (verb == "slow" || verb == "stall") {
            Who node = who(words);
            return Slow{std::move(node), duration(words.word("a time")), verb == "stall"};
        }
        if (verb == "advance") return Advance{duration(words.word("a time"))};
        if (verb == "remember") return words.need("leader"), Remember{};
        if (verb == "expect") return expectation(words);
        return application_call(verb, words);
    }

    [[nodiscard]] Action crash(Words& words) const {
        Who node = who(words);
        if (words.empty()) return Strike{Strike::Kind::crash, std::move(node)};
        const bool in_sync = words.take("in");
        if (in_sync) words.need("sync");
        const bool torn = words.take("torn");
        if (!torn) words.need("lost");
        return CrashLosing{std::move(node), torn ? Unsynced::torn : Unsynced::lost, in_sync};
    }
    [[nodiscard]] Meet meeting() const {
        if (!scenario_.strangers) throw Unreadable("there are no strangers: 'strangers' before the first step");
        return {};
    }

    [[nodiscard]] Action application_call(const std::string& verb, Words& words) const {
        if (verb == "subscribe") {
            Subscribe subscribe{who(words), words.text("a filter"), words.take("durable"), {}};
            if (words.take("fenced")) words.need("by"), subscribe.fence = words.text("a lease");
            if (!subscribe.durable) subscribe.durable = words.take("durable");
            return subscribe;
        }
        if (verb == "unsubscribe") return Unsubscribe{who(words), words.text("a filter")};
        if (verb == "publish") return publish(words);
        if (verb == "acquire") {
            Acquire acquire{who(words), words.text("a lease"), {}};
            words.need("ttl");
            acquire.ttl = duration(words.word("a time"));
            return acquire;
        }
        if (verb == "release") return Release{who(words), words.text("a lease")};
        if (verb == "put") return Put{who(words), words.text("a key"), words.text("a value")};
        if (verb == "ask") return Ask{who(words), words.text("a key")};
        if (verb == "demote" || verb == "promote") {
            Who about = who(words);
            words.need("through");
            return ChangeMember{std::move(about), verb == "demote" ? consensus::ChangeOp::demote : consensus::ChangeOp::promote,
                                who(words)};
        }
        throw Unreadable("there is no step '" + verb + "'");
    }

    [[nodiscard]] Publish publish(Words& words) const {
        Publish publish{who(words), words.text("a topic"), 1, {}, {}};
        const auto known = [&](std::string_view next) { return next.front() == 'x' || next == "under" || next == "lasting"; };
        if (const auto next = words.next(); !next.empty() && !known(next))
            throw Unreadable("'" + std::string(next) + "' stands where x100, 'under' or 'lasting' belongs");
        if (words.next().starts_with('x')) {
            publish.count = count(words.word("a number").substr(1), "a number after x");
            if (publish.count == 0) throw Unreadable("'x0' publishes nothing: x1 at least");
        }
        if (words.take("under")) publish.lease = words.text("a lease");
        if (words.take("lasting")) publish.lasting = duration(words.word("a time"));
        return publish;
    }

    [[nodiscard]] Expect expectation(Words& words) const {
        Expect expect{{}, false, Settled{}};
        if (words.take("within")) expect.within = duration(words.word("a time"));
        expect.negated = words.take("not");
        const std::string kind = words.text("a condition");
        if (kind == "leader") {
            expect.condition = leader_condition(words);
        } else if (kind == "term") {
            words.need("remembered"), words.need("at");
            expect.condition = TermRemembered{group(words)};
        } else if (kind == "outcome" || kind == to_string(Outcome::acknowledged) || kind == to_string(Outcome::fenced)) {
            const Outcome outcome = outcome_named(kind == "outcome" ? words.text("an outcome") : kind);
            expect.condition = OutcomesTold{outcome, count(words.word("a number"))};
        } else {
            expect.condition = node_condition(kind, words);
        }
        return expect;
    }

    [[nodiscard]] static Outcome outcome_named(const std::string& name) {
        for (const Outcome each : {Outcome::acknowledged, Outcome::expired, Outcome::rejected, Outcome::fenced, Outcome::subscriber_gone,
                                   Outcome::peer_removed, Outcome::retry_budget}) {
            if (to_string(each) == name) return each;
        }
        throw Unreadable("there is no outcome '" + name + "'");
    }
    // Numbers of statuses have gaps, and to_string() calls these unknown.
    [[nodiscard]] static std::string status(Words& words) {
        constexpr unsigned kStatuses = 256;
        std::string name = words.text("a status");
        const std::string_view unknown = to_string(static_cast<Status>(kStatuses - 1));
        for (unsigned i = 0; i < kStatuses; ++i) {
            if (name != unknown && to_string(static_cast<Status>(i)) == name) return name;
        }
        throw Unreadable("there is no status '" + name + "'");
    }
    [[nodiscard]] static std::string ending(Words& words) {
        for (const char* const ending : {"waiting", "crashed"}) {
            if (words.take(ending)) return ending;
        }
        return status(words);
    }
    [[nodiscard]] static Counter counter_named(const std::string& name) {
        for (std::size_t i = 0; i < kCounterCount; ++i) {
            if (info(static_cast<Counter>(i)).name == name) return static_cast<Counter>(i);
        }
        throw Unreadable("there is no counter '" + name + "'");
    }
    [[nodiscard]] Condition leader_condition(Words& words) const {
        if (words.take("among")) return LeaderAmong{group(words)};
        if (words.take("remembered")) return LeaderRemembered{};
        words.need("none"), words.need("at");
        return LeaderNone{group(words)};
    }
    [[nodiscard]] Condition node_condition(const std::string& kind, Words& words) const {
        if (kind == "settled") return Settled{};
        if (kind == "subscribers") {
            Subscribers subscribers{who(words), words.text("a topic"), 0};
            subscribers.count = count(words.word("a number"));
            return subscribers;
        }
        if (kind == "delivered") {
            Delivered delivered{count(words.word("a number")), {}, {}};
            if (words.take("duplicates")) delivered.duplicates = count(words.word("a number"));
            if (words.take("at")) delivered.node = who(words);
            return delivered;
        }
        if (kind == "holder") return Holds{who(words), words.text("a lease")};
        if (kind == "put") return PutEnded{who(words), ending(words)};
        if (kind == "change") return ChangeEnded{who(words), ending(words)};
        if (kind == "get") return GetReturns{who(words), words.text("a key"), words.text("a value")};
        if (kind == "answer") return Answered{who(words), words.text("a value")};
        if (kind == "down") return Down{who(words)};
        if (kind == "stopped") return Stopped{who(words), status(words)};
        if (kind == "conflict") return Conflict{who(words)};
        if (kind == "counter") {
            CounterBelow below{counter_named(words.text("a counter")), 0};
            words.need("below");
            below.limit = count(words.word("a number"));
            return below;
        }
        throw Unreadable("there is no condition '" + kind + "'");
    }

    Scenario scenario_;
};

}  // namespace

Scenario parse_scenario(std::string_view file, std::string_view text) {
    Parser parser(file);
    std::size_t line = 0;
    try {
        while (!text.empty()) {
            const std::size_t length = std::min(text.find('\n'), text.size());
            parser.line(++line, text.substr(0, length));
            text.remove_prefix(std::min(length + 1, text.size()));
        }
        Scenario scenario = parser.take();
        if (scenario.steps.empty()) throw Unreadable("nothing happens");
        return scenario;
    } catch (const Unreadable& unreadable) { throw ScenarioError(file, line, unreadable.what()); }
}

}  // namespace dunlin::sim
