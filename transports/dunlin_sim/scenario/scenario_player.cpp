#include <dunlin_sim/scenario/scenario_player.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin_sim/faults/bare_appends.hpp>
#include <dunlin_sim/scenario/scenario_actor.hpp>
#include <dunlin_sim/scenario/scenario_conditions.hpp>
#include <dunlin_sim/story.hpp>

#include <algorithm>
#include <initializer_list>

namespace dunlin::sim {
namespace {

class Player {
  public:
    Player(const Scenario& scenario, std::FILE* trace) : scenario_(scenario), stage_(scenario), story_(stage_.world, trace) {}

    ScenarioReport play() {
        ScenarioReport report;
        start();
        for (const Step& step : scenario_.steps) {
            report.failure = failure_of(step);
            if (!report.failure.empty()) break;
        }
        report.time = world_.now() - Instant{};
        for (const Verdict::Tally& tally : stage_.verdict.tallies()) report.checks += tally.checks;
        if (!report.failure.empty()) report.last_events = story_.last();
        return report;
    }

    void operator()(const SetLoss& loss) { world_.network().faults.loss_ppm = loss.ppm; }
    void operator()(const SetBare& bare) {
        if (!bare_) bare_.emplace(world_);
        bare_->start(bare.ppm, scenario_.seed);
    }
    void operator()(const Meet&) { stage_.strangers.meet(); }
    void operator()(const Late& late) { world_.network().clog(cast_.one(late.from), cast_.one(late.to), late.by); }
    void operator()(const Copies& copies) {
        const std::size_t process = cast_.one(copies.node);
        copies.repeat ? stage_.repeat(process) : stage_.keep(process);
    }
    void operator()(const Heal&) {
        world_.network().heal();
        world_.network().widen(~std::uint32_t{0});
    }
    void operator()(const Cut& cut) {
        const std::size_t from = cast_.one(cut.from);
        const std::size_t to = cast_.one(cut.to);
        world_.network().cut(from, to, true);
        if (cut.both) world_.network().cut(to, from, true);
    }
    void operator()(const Narrow& narrow) { world_.network().narrow(cast_.one(narrow.one), cast_.one(narrow.other), narrow.bytes); }
    void operator()(const Strike& strike);
    void operator()(const CrashLosing& crash) {
        const std::size_t process = cast_.one(crash.node);
        if (!world_.running(process)) throw StepFailed(node_name(process) + " is down");
        crash.in_sync ? world_.crash_in_next_sync(process, crash.fate) : world_.crash(process, crash.fate);
    }
    void operator()(const Slow& slow) {
        const std::size_t process = cast_.one(slow.node);
        slow.disk ? world_.set_sync_stall(process, slow.by) : world_.set_lag(process, slow.by);
    }
    void operator()(const Advance& advance) { world_.run_for(advance.time); }
    void operator()(const Subscribe& wanted);
    void operator()(const Unsubscribe& wanted) {
        act(wanted.node, [&](ScenarioActor& actor, std::size_t process) {
            if (!actor.stop_listening(wanted.filter)) throw StepFailed(node_name(process) + " does not listen to " + wanted.filter);
        });
    }
    void operator()(const Publish& wanted);
    void operator()(const Acquire& wanted) {
        act(wanted.node, [&](ScenarioActor& actor, std::size_t) { require(actor.acquire(wanted.lease, wanted.ttl)); });
    }
    void operator()(const Release& wanted) {
        act(wanted.node, [&](ScenarioActor& actor, std::size_t process) {
            if (!actor.release(wanted.lease)) throw StepFailed(node_name(process) + " never asked for " + wanted.lease);
        });
    }
    void operator()(const Put& wanted);
    void operator()(const Ask& wanted) {
        act(wanted.node, [&](ScenarioActor& actor, std::size_t) { require(actor.get(wanted.key)); });
    }
    void operator()(const ChangeMember& wanted) {
        const std::size_t about = cast_.one(wanted.about);
        act(wanted.through, [&](ScenarioActor& actor, std::size_t) { require(actor.change_member(wanted.op, about)); });
    }
    void operator()(const Remember&) { cast_.remember_leader(); }
    void operator()(const Expect& expect);

  private:
    static void require(Status status) {
        if (status != Status::ok) throw StepFailed("the node says " + std::string(to_string(status)));
    }

    // Journals are read before the first step.
    void start() {
        stage_.strangers.start();
        world_.start_all();
        const auto ready = [this] {
            for (std::size_t i = 0; i < world_.size(); ++i) {
                if (!stage_.actor(i).ready()) return false;
            }
            return true;
        };
        DUNLIN_ASSERT(world_.run_until(ready, seconds{10}));
    }

    [[nodiscard]] std::string failure_of(const Step& step) {
        std::string why;
        try {
            std::visit(*this, step.action);
        } catch (const StepFailed& failed) { why = failed.what(); } catch (const Misuse& misuse) {
            why = misuse.what();
        }
        // What a checker found says more than what the story missed.
        if (!stage_.verdict.clean()) why = stage_.verdict.violations().front();
        return why.empty() ? why : ScenarioError(scenario_.file, step.line, step.text + ": " + why).what();
    }

    // Lets the application of a node that can do something do it.
    template <class Call>
    void act(const Who& who, const Call& call) {
        const std::size_t process = cast_.one(who);
        if (!world_.running(process)) throw StepFailed(node_name(process) + " is down");
        if (world_.paused(process)) throw StepFailed(node_name(process) + " is paused");
        call(stage_.actor(process), process);
        world_.touch(process);
    }
    void ask(const Expect& expect, const GetReturns& wanted);
    [[nodiscard]] Finding judge(const Expect& expect);

    static constexpr Duration kSlice = milliseconds{1};
    static constexpr Duration kDrainLimit = seconds{10};  // of a shutdown, as of hosts

    void damage(std::size_t process, bool middle);

    const Scenario& scenario_;
    ScenarioStage stage_;
    World& world_ = stage_.world;
    Story story_;
    ScenarioCast cast_{stage_};
    std::optional<BareAppends> bare_{};
};

void Player::operator()(const Strike& strike) {
    using enum Strike::Kind;
    const auto any = [&](std::initializer_list<Strike::Kind> kinds) { return std::ranges::find(kinds, strike.kind) != kinds.end(); };
    const std::size_t process = cast_.one(strike.node);
    const bool up = world_.running(process);
    const bool while_up = any({crash, pause, shutdown});
    const bool while_down = any({wipe, format, rot_middle, rot_tail, restart});
    if (while_up && !up) throw StepFailed(node_name(process) + " is down");
    if (while_down && up) throw StepFailed(node_name(process) + " runs: crash it first");
    switch (strike.kind) {
        case isolate: return world_.network().isolate(process, true);
        case crash: return world_.crash(process);
        case restart: return world_.restart(process);
        case shutdown: return world_.shut_down(process, kDrainLimit);
        case pause: return stage_.pausing(process), world_.pause(process);
        case resume:
            if (!world_.paused(process)) throw StepFailed(node_name(process) + " is not paused");
            return world_.resume(process);
        case wipe: return stage_.wipe(process);
        case format: return world_.format_member(process);
        case rot_middle: return damage(process, true);
        case rot_tail: return damage(process, false);
        case freeze: return stage_.leases.exclude_nothing(), world_.freeze_clock(process);
        case thaw: return world_.thaw_clock(process);
    }
}

// A journal must notice the one, and must not care about the other.
void Player::damage(std::size_t process, bool middle) {
    Disk& disk = world_.process(process).disk;
    const std::uint64_t draw = world_.workload().next_u64();
    if (middle) stage_.coordination.may_stop(process);
    if (!(middle ? disk.rot_middle(draw) : disk.rot_tail(draw)))
        throw StepFailed("nothing on the disk of " + node_name(process) + " can rot");
}

void Player::operator()(const Subscribe& wanted) {
    act(wanted.node, [&](ScenarioActor& actor, std::size_t process) {
        auto& listening = stage_.parts[process].listening;
        const auto durable_id = static_cast<std::uint32_t>(wanted.durable ? listening.size() + 1 : 0);
        listening.push_back({wanted.filter, durable_id, wanted.fence});
        require(actor.listen(listening.size() - 1));
    });
}

void Player::operator()(const Publish& wanted) {
    act(wanted.node, [&](ScenarioActor& actor, std::size_t process) {
        const Token token = actor.token(wanted.lease);
        if (!wanted.lease.empty() && token == Token{}) throw StepFailed(node_name(process) + " never held " + wanted.lease);
        auto& orders = stage_.parts[process].orders;
        orders.insert(orders.end(), wanted.count, {wanted.topic, wanted.lease, token, wanted.lasting});
        require(actor.publish_rest());
    });
}

void Player::operator()(const Put& wanted) {
    const KeyHistory& history = stage_.key(wanted.key);
    if (history.putting) throw StepFailed("the put of " + wanted.key + " before this one has no answer yet");
    if (history.number_of(wanted.value) != 0) throw StepFailed("each value of " + wanted.key + " can be put once");
    act(wanted.node, [&](ScenarioActor& actor, std::size_t) { require(actor.put(wanted.key, wanted.value)); });
}

Finding Player::judge(const Expect& expect) {
    try {
        Finding found = look(stage_, cast_, expect.condition);
        if (expect.negated) found.holds = !found.holds;
        return found;
    } catch (const StepFailed& nobody) { return {false, nobody.what()}; }
}

// Asks once, and again as long as there is time.
void Player::ask(const Expect& expect, const GetReturns& wanted) {
    const Duration longest = Options{}.request_timeout + seconds{1};
    const Instant end = world_.now() + expect.within;
    Finding found;
    do {
        act(wanted.node, [&](ScenarioActor& actor, std::size_t) { require(actor.get(wanted.key)); });
        const std::size_t process = cast_.one(wanted.node);
        static_cast<void>(world_.run_until([&] { return !world_.running(process) || !stage_.actor(process).answer().empty(); }, longest));
        found = judge(expect);
        if (!found.holds && world_.now() < end) world_.run_for(kSlice);
    } while (!found.holds && world_.now() < end && stage_.verdict.clean());
    if (!found.holds) throw StepFailed(found.seen);
}

void Player::operator()(const Expect& expect) {
    if (const auto* const get = std::get_if<GetReturns>(&expect.condition)) return ask(expect, *get);
    const Instant end = world_.now() + expect.within;
    Finding found = judge(expect);
    while (!found.holds && world_.now() < end && stage_.verdict.clean()) {
        world_.run_for(kSlice);
        found = judge(expect);
    }
    if (!found.holds) throw StepFailed(found.seen);
}

}  // namespace

ScenarioReport play(const Scenario& scenario, std::FILE* trace) { return Player(scenario, trace).play(); }

}  // namespace dunlin::sim
