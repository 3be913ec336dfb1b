#include <dunlin_sim/checkers/settlement_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {
namespace {

std::string text(std::size_t process) { return "process " + std::to_string(process); }

// FNV-1a of the first bytes of a body, or of a piece of one, in which messages of one publisher differ.
std::uint64_t fingerprint(std::span<const std::byte> body) {
    constexpr std::size_t kBytes = 64;
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const std::byte byte : body.first(std::min(body.size(), kBytes)))
        hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3U;
    return hash;
}

}  // namespace

SettlementChecker::SettlementChecker(World& world, Verdict& verdict, DurableStates& durable)
    : world_(world),
      verdict_(verdict),
      durable_(durable),
      sequence_(verdict.expect("a sequence names one message")),
      back_(verdict.expect("settlements never go back")),
      never_(verdict.expect("told to be settled, never run")),
      settled_(verdict.expect("durable before settled", Verdict::Occasion::rare)),
      outcome_(verdict.expect("durable before an outcome is told", Verdict::Occasion::rare)) {
    world.observe(*this);
}

// A disk is wiped only while its process is down: until it runs again, it has not said whose it is.
std::uint64_t SettlementChecker::identity_of(std::size_t process) {
    if (identities_.size() <= process) identities_.resize(world_.size());
    Identity& identity = identities_[process];
    const Process& of = world_.process(process);
    if (!of.running() || identity.lives == of.life + 1) return identity.value;
    identity = {of.life + 1, of.setup.disk_bytes != 0 ? durable_.of(process).storage().value() : std::uint64_t{of.life} + 1};
    return identity.value;
}

std::size_t SettlementChecker::place(std::size_t process, std::size_t other) {
    const std::size_t pairs = world_.size() * world_.size();
    if (stated_.size() < pairs) {
        pairs_.resize(pairs * kLanesMax);
        stated_.resize(pairs);
    }
    return process * world_.size() + other;
}

SettlementChecker::Pair& SettlementChecker::pair(std::size_t process, std::size_t other, std::size_t lane) {
    Pair& found = pairs_[place(process, other) * kLanesMax + lane];
    const std::uint64_t identity = identity_of(process);
    if (found.identity != identity) found = {.identity = identity};
    return found;
}

// ---- Packets ------------------------------------------------------------------------------------------------------------------

void SettlementChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    for_each_record(bytes, [&](const wire::Record& record) {
        switch (record.type) {
            case wire::RecordType::hello: {
                stated_[place(process, to)].stream = StreamId{record.as<wire::Hello>().stream()};
                return;
            }
            case wire::RecordType::lane_state: {  // follows the hello
                const auto state = record.as<wire::LaneState>();
                const std::uint64_t first = state.first_unsettled();
                Stated& stated = stated_[place(process, to)];
                if (first == 0) return;
                std::uint64_t& resolved = stated.resolved[{stated.stream, state.lane()}];
                resolved = std::max(resolved, first - 1);
                return;
            }
            case wire::RecordType::run: return on_run(at, process, to, record);
            case wire::RecordType::settlement: return on_settlement(at, process, to, record);
            default: return;
        }
    });
}

void SettlementChecker::on_run(Instant at, std::size_t process, std::size_t to, const wire::Record& record) {
    const std::size_t lane = record.as<wire::Run>().lane() % kLanesMax;
    for_each_message(record, [&](const SentMessage& message) {
        note_sent(at, process, to, lane, {message.place, fingerprint(message.body)});
    });
}

void SettlementChecker::note_sent(Instant at, std::size_t process, std::size_t to, std::size_t lane, const Sent& sent) {
    std::vector<Sent>& all = pair(process, to, lane).sent;
    if (all.empty()) all.resize(kSentMax);
    Sent& known = all[sent.sequence % kSentMax];
    verdict_.check(sequence_, known.sequence != sent.sequence || known.fingerprint == sent.fingerprint, at, [&] {
        return text(process) + " sends " + text(to) + " another message as number " + std::to_string(sent.sequence) + " than before";
    });
    known = sent;
}

void SettlementChecker::on_settlement(Instant at, std::size_t process, std::size_t to, const wire::Record& record) {
    const std::optional<SettledSequences> settled = settled_in(record);
    if (!settled) return;
    const SettledSequences& told = *settled;
    const std::size_t lane = record.as<wire::Settlement>().lane() % kLanesMax;
    SettledSequences& before = pair(process, to, lane).settled;
    if (told.stream == before.stream) {
        if (told.cumulative == before.cumulative && told.words == before.words) return;
        const std::uint64_t missing = before.first_missing_in(told);
        verdict_.check(back_, missing == 0, at, [&] {
            return text(process) + " has told " + text(to) + " that number " + std::to_string(missing) +
                   " is settled, and now tells that it is not";
        });
    }
    before = told;
    if (crashes_ && world_.process(process).setup.disk_bytes != 0) check_durable(at, process, to, lane, told);
}

// What the publisher itself has said to be resolved is settled by its own word.
void SettlementChecker::check_durable(Instant at, std::size_t process, std::size_t publisher, std::size_t lane,
                                      const SettledSequences& told) {
    const Stated& stated = stated_[place(publisher, process)];
    const auto resolved = stated.resolved.find({told.stream, lane});
    const SettledSequences* const known = durable_.of(process).bus().settled(world_.process(publisher).setup.options.id, lane);
    const SettledSequences nothing{told.stream, 0, {}};
    const bool same = known != nullptr && known->stream == told.stream;
    const std::uint64_t missing = told.first_missing_in(same ? *known : nothing, resolved != stated.resolved.end() ? resolved->second : 0);
    verdict_.check(settled_, missing == 0, at, [&] {
        return text(process) + " tells " + text(publisher) + " that number " + std::to_string(missing) +
               " is settled, and its disk does not know";
    });
}

// ---- Applications -----------------------------------------------------------------------------------------------------------------

void SettlementChecker::handled(Instant at, std::size_t process, NodeId publisher, Lane lane, Sequence sequence) {
    for (std::size_t from = 0; from < world_.size(); ++from) {
        if (world_.process(from).setup.options.id != publisher) continue;
        const SettledSequences& told = pair(process, from, index_of(lane)).settled;
        if (stated_[place(from, process)].stream != told.stream) continue;
        verdict_.check(never_, !told.contains(sequence.value()), at, [&] {
            return text(process) + " runs number " + std::to_string(sequence.value()) + " of " + text(from) +
                   ", which it has told to be settled";
        });
    }
}

void SettlementChecker::on_crash(Instant, std::size_t, const Node&) { crashes_ = true; }

void SettlementChecker::on_event(Instant at, std::size_t process, const Node&, const Event& event) {
    if (!crashes_ || event.kind != EventKind::outcome || world_.process(process).setup.disk_bytes == 0) return;
    const std::optional<Outcome> known = durable_.of(process).bus().outcome(PublishId{event.id}, event.node, event.subscription);
    verdict_.check(outcome_, known == event.outcome, at, [&] {
        return text(process) + " is told that a publish is " + std::string(to_string(event.outcome)) + " at node " +
               std::to_string(event.node.value()) + ", and its disk says " +
               (known ? std::string(to_string(*known)) : std::string("nothing of it"));
    });
}

}  // namespace dunlin::sim
