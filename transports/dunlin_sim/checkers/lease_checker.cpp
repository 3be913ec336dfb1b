#include <dunlin_sim/checkers/lease_checker.hpp>

#include <dunlin/ledger/commands.hpp>
#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>

namespace dunlin::sim {
namespace {

std::string text(std::size_t process) { return "process " + std::to_string(process); }

}  // namespace

LeaseChecker::LeaseChecker(World& world, Verdict& verdict)
    : world_(world),
      verdict_(verdict),
      exclusion_(verdict.expect("one valid holder a lease")),
      token_(verdict.expect("tokens only grow")),
      margin_(verdict.expect("a lease outlasts its holder's view", Verdict::Occasion::rare)),
      validity_(verdict.expect("validity counts from the request", Verdict::Occasion::rare)),
      released_(verdict.expect("who leaves holds no lease", Verdict::Occasion::rare)) {
    world.observe(*this);
}

std::vector<LeaseChecker::Want>& LeaseChecker::wants_of(std::size_t process) {
    if (wants_.size() <= process) wants_.resize(process + 1);
    return wants_[process];
}

std::size_t LeaseChecker::lease_named(const std::string& name) {
    for (std::size_t i = 0; i < leases_.size(); ++i) {
        if (leases_[i].name == name) return i;
    }
    leases_.push_back({name});
    return leases_.size() - 1;
}

void LeaseChecker::wants_lease(std::size_t process, const std::string& name, ledger::LeaseHandle handle) {
    Want want{lease_named(name), handle};
    for (Want& each : wants_of(process)) {
        if (each.lease == want.lease) want.asked = each.asked;
        if (each.handle.slot != handle.slot && each.lease != want.lease) continue;
        each = want;
        return;
    }
    wants_of(process).push_back(want);
}

// ---- Grants -------------------------------------------------------------------------------------------------------------------

void LeaseChecker::on_event(Instant at, std::size_t process, const Node&, const Event& event) {
    if (event.kind != EventKind::lease_held) return;
    for (Want& want : wants_of(process)) {
        if (want.handle.slot != event.slot) continue;
        want.token = event.value;
        Lease& lease = leases_[want.lease];
        const bool again = event.value == lease.token && process == lease.holder;  // out of jeopardy
        if (!again) ++grants_;
        verdict_.check(token_, again || event.value > lease.token, at, [&] {
            return "lease " + lease.name + " was granted to " + text(process) + " under token " + std::to_string(event.value) +
                   " after token " + std::to_string(lease.token) + " to " + text(lease.holder);
        });
        lease.token = std::max(lease.token, event.value);
        lease.holder = process;
    }
}

// ---- Validity -----------------------------------------------------------------------------------------------------------------

void LeaseChecker::on_step(Instant at, std::size_t process, const Node& node) {
    for (Want& want : wants_of(process)) {
        const ledger::LeaseView view = node.lease(want.handle);
        if (view.valid_until == want.valid_until || !view.valid_for(world_.local_now(process), Duration{0})) continue;
        want.valid_until = view.valid_until;
        if (reference_ != nullptr) check_validity(at, process, want);
        if (!excludes_) continue;
        check_exclusion(at, process, want);
        if (reference_ != nullptr) check_margin(at, process, want, view);
    }
}

void LeaseChecker::on_send(Instant, std::size_t process, std::size_t, std::span<const std::byte> bytes) {
    if (reference_ == nullptr || wants_of(process).empty()) return;
    if (votes_.size() <= process) votes_.resize(process + 1);
    if (votes_[process]) return;
    for_each_record(bytes, [&](const wire::Record& record) {
        if (of_consensus(record.type)) votes_[process] = true;
        note_asked(world_.local_now(process), wants_of(process), record);
    });
}

void LeaseChecker::note_asked(Instant now, std::vector<Want>& wants, const wire::Record& record) {
    if (record.type == wire::RecordType::renew) {
        const auto renew = record.as<wire::Renew>();
        for (Want& want : wants) {
            if (want.token != renew.token()) continue;
            if (renew.request() > want.asked.renewal) want.asked.first_sent = now;
            want.asked.renewal = std::max(want.asked.renewal, renew.request());
        }
    }
    if (record.type != wire::RecordType::command) return;
    const auto command = record.as<wire::Command>();
    ledger::AcquireCommand acquire{};
    if (command.type() != static_cast<std::uint8_t>(ledger::CommandType::acquire) || !decode(record.bytes, acquire)) return;
    for (Want& want : wants) {
        Asked& asked = want.asked;
        const bool again = command.session() == asked.session && command.sequence() <= asked.sequence;
        if (again || leases_[want.lease].name != acquire.name) continue;
        asked.session = command.session();
        asked.sequence = command.sequence();
        asked.first_sent = now;
        asked.ttl = std::max(asked.ttl, acquire.ttl);
    }
}

void LeaseChecker::check_validity(Instant at, std::size_t process, const Want& mine) {
    constexpr std::int64_t kMillion = 1'000'000;
    const Asked& asked = mine.asked;
    if (process >= votes_.size() || votes_[process] || asked.ttl == Duration{}) return;
    const Options& options = world_.process(process).setup.options;
    const std::int64_t own = to_us(asked.ttl) * (kMillion - options.clock_rate_bound_ppm) / kMillion;
    const Duration longest = Duration{own * (kMillion - reference_->voter_rate_ppm()) / kMillion} - options.lease_guard;
    verdict_.check(validity_, mine.valid_until <= asked.first_sent + longest, at, [&] {
        return text(process) + " takes lease " + leases_[mine.lease].name + " for its own for " +
               std::to_string((mine.valid_until - asked.first_sent).count()) + " us from its request on, and not " +
               std::to_string(longest.count()) + " us";
    });
}

void LeaseChecker::check_exclusion(Instant at, std::size_t process, const Want& mine) {
    for (std::size_t other = 0; other < wants_.size(); ++other) {
        if (other == process || !world_.running(other)) continue;
        for (const Want& theirs : wants_[other]) {
            if (theirs.lease != mine.lease) continue;
            const bool both = world_.node(other).lease(theirs.handle).valid_for(world_.local_now(other), Duration{0});
            verdict_.check(exclusion_, !both, at,
                           [&] { return "lease " + leases_[mine.lease].name + " is held by " + text(process) + " and " + text(other); });
        }
    }
}

// The cluster time of the latest leader, which nobody's is ahead of who could commit anything.
bool LeaseChecker::time_of_leader(ClusterTime& time) const {
    Term latest{};
    for (std::size_t process = 0; process < world_.size(); ++process) {
        if (!world_.running(process) || world_.node(process).failed()) continue;
        const StatusReport report = world_.node(process).status(world_.local_now(process));
        if (report.role != consensus::Role::leader || report.term <= latest) continue;
        latest = report.term;
        time = report.cluster_time;
    }
    return latest != Term{};
}

void LeaseChecker::check_margin(Instant at, std::size_t process, const Want& mine, const ledger::LeaseView& view) {
    constexpr std::int64_t kMillion = 1'000'000;
    const auto row = reference_->lease(leases_[mine.lease].name);
    ClusterTime time{};
    if (!row || !time_of_leader(time)) return;
    const std::uint64_t left = row->token == view.token.value() && row->deadline > time.value() ? row->deadline - time.value() : 0;
    const Duration at_the_earliest{static_cast<std::int64_t>(left) * kMillion / (kMillion + reference_->voter_rate_ppm())};
    const Instant ends = world_.process(process).true_time(view.valid_until);
    verdict_.check(margin_, ends <= at + at_the_earliest, at, [&] {
        return text(process) + " takes lease " + leases_[mine.lease].name + " under token " + std::to_string(view.token.value()) +
               " for its own for " + std::to_string((ends - at).count()) + " us more, and the ledger, where its token is " +
               std::to_string(row->token) + ", may give it away in " + std::to_string(at_the_earliest.count()) + " us";
    });
}

// ---- Leaving ------------------------------------------------------------------------------------------------------------------

void LeaseChecker::on_drained(Instant at, std::size_t process, const Node&, Duration) {
    if (reference_ == nullptr) return;
    for (const Want& want : wants_of(process)) {
        const std::string& name = leases_[want.lease].name;
        const auto row = reference_->lease(name);
        const bool ran_out = want.valid_until <= world_.local_now(process);  // its holder could not renew it
        if (!row || ran_out || want.token == 0) continue;
        verdict_.check(released_, row->token != want.token, at, [&] {
            return text(process) + " has drained, and holds lease " + name + " under token " + std::to_string(want.token);
        });
    }
}

void LeaseChecker::on_crash(Instant, std::size_t process, const Node&) {
    wants_of(process).clear();
    if (process < votes_.size()) votes_[process] = false;
}

}  // namespace dunlin::sim
