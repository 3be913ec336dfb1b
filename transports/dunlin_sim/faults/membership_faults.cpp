#include <dunlin_sim/faults/membership_faults.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {
namespace {

using consensus::ChangeOp;
using consensus::Standing;

constexpr Duration kRetry = milliseconds{100};
constexpr Duration kPatience = seconds{8};  // longer than a call takes, unless its process stands still
constexpr ChangeOp kLead{};

}  // namespace

MembershipFaults::MembershipFaults(World& world, Audit& audit, FaultCounts& counts) : world_(world), audit_(audit), counts_(counts) {
    for (std::size_t i = 0; i < world.size(); ++i) {
        if (!world.process(i).votes) continue;
        voters_.push_back(i);
        storages_.push_back(audit.durable().of(i).storage());
    }
    world.observe(*this);
}

// ---- Rounds -----------------------------------------------------------------------------------------------------------------

std::size_t MembershipFaults::voter(std::uint32_t number, bool leads) {
    for (const std::size_t each : voters_) {
        const bool runs = leads && world_.running(each);
        if (runs && world_.node(each).status(world_.local_now(each)).role == consensus::Role::leader) return each;
    }
    return voters_[number % voters_.size()];
}

// The amount is the kind of round, and one of the upper half is about whoever leads.
void MembershipFaults::strike(const Fault& fault) {
    if (!steps_.empty() || healed_ || voters_.size() < 2) return;
    ++counts_[index_of(FaultKind::membership)];
    pause_ = fault.length;
    const std::size_t one = voter(fault.one, fault.amount >= kMembershipRounds);
    std::size_t other = voter(fault.other, false);
    if (other == one) other = voters_[(fault.other + 1) % voters_.size()];
    begin(one, other, fault.amount % kMembershipRounds);
    work_in({});
}

void MembershipFaults::begin(std::size_t one, std::size_t other, std::uint64_t round) {
    if (voters_.size() < 3) round = 0;
    if (voters_.size() < 4 && round == 4) round = 2;
    switch (round) {
        case 0: steps_ = {{kLead, one}}; break;
        case 1: steps_ = {{ChangeOp::demote, one}, {ChangeOp::promote, one}}; break;
        case 2: steps_ = {{ChangeOp::remove, one}, {ChangeOp::add_learner, one}, {ChangeOp::promote, one}}; break;
        case 3: steps_ = {{ChangeOp::demote, one}, {ChangeOp::remove, one}, {ChangeOp::add_learner, one}, {ChangeOp::promote, one}}; break;
        default:
            steps_ = {{ChangeOp::remove, one},
                      {ChangeOp::demote, other},
                      {ChangeOp::add_learner, one},
                      {ChangeOp::promote, other},
                      {ChangeOp::promote, one}};
            break;
    }
}

void MembershipFaults::heal() {
    healed_ = true;
    steps_.clear();
    pause_ = {};
    if (counts_[index_of(FaultKind::membership)] != 0) work_in({});
}

bool MembershipFaults::restored() {
    return std::ranges::all_of(voters_, [this](std::size_t each) { return standing(each) == Standing::voter; });
}

void MembershipFaults::restore() {
    for (const std::size_t each : voters_) {
        if (standing(each) != Standing::voter) steps_.push_back({ChangeOp::promote, each});
    }
}

// ---- Steps ------------------------------------------------------------------------------------------------------------------

// As whoever knows most of the running voters has it.
Standing MembershipFaults::standing(std::size_t process) {
    const Node* best = nullptr;
    LogIndex newest{};
    for (const std::size_t each : voters_) {
        if (!world_.running(each)) continue;
        const LogIndex index = world_.node(each).status(world_.local_now(each)).members_index;
        if (best != nullptr && index <= newest) continue;
        best = &world_.node(each);
        newest = index;
    }
    if (best == nullptr || newest == LogIndex{}) return Standing::voter;
    for (std::size_t slot = 0; slot < kVotersMax; ++slot) {
        const ledger::MemberRow row = best->member(slot);
        if (row.storage == 0 || NodeId{row.node} != world_.process(process).setup.options.id) continue;
        return row.flags == ledger::kMemberVoter ? Standing::voter : Standing::learner;
    }
    return Standing::none;
}

bool MembershipFaults::done(const Step& step) {
    switch (step.op) {
        case ChangeOp::add_learner: return standing(step.process) != Standing::none;
        case ChangeOp::promote: return standing(step.process) == Standing::voter;
        case ChangeOp::demote: return standing(step.process) != Standing::voter;
        case ChangeOp::remove: return standing(step.process) == Standing::none;
        default: return false;
    }
}

bool MembershipFaults::on_own_disk(std::size_t process) {
    for (std::size_t i = 0; i < voters_.size(); ++i) {
        if (voters_[i] == process) return audit_.durable().of(process).storage() == storages_[i];
    }
    return false;
}

std::optional<std::size_t> MembershipFaults::asker() {
    for (std::size_t i = 0; i < voters_.size(); ++i) {
        const std::size_t each = voters_[turn_++ % voters_.size()];
        if (world_.running(each) && !world_.paused(each) && !world_.node(each).failed()) return each;
    }
    return std::nullopt;
}

void MembershipFaults::work_in(Duration pause) {
    world_.at(world_.now() + pause, [this, number = ++works_] {
        if (number == works_) work();
    });
}

void MembershipFaults::work() {
    if (asked_ && world_.now() < asked_->until) return work_in(kRetry);
    asked_.reset();
    while (!steps_.empty() && done(steps_.front())) steps_.pop_front();
    if (steps_.empty() && healed_) restore();
    if (steps_.empty() && !healed_) return;
    if (!steps_.empty()) {
        // What was asked for earlier, and never answered, may still come: whoever is to vote may have been removed once more.
        const Step next = steps_.front();
        if (next.op == ChangeOp::promote && standing(next.process) == Standing::none)
            steps_.push_front({ChangeOp::add_learner, next.process});
        ask(steps_.front());
    }
    work_in(kRetry);
}

void MembershipFaults::ask(const Step& step) {
    const auto through = asker();
    if (!through || (step.op == ChangeOp::remove && !on_own_disk(step.process))) return;
    const Result<RequestId> request = ask(*through, step);
    if (!request.ok()) return;
    asked_ = {step, *through, request.value(), world_.now() + kPatience};
    if (steps_.size() < 2 || turn_ % 2 != 0 || (steps_[1].op == ChangeOp::remove && !on_own_disk(steps_[1].process))) return;
    if (const auto second = asker()) static_cast<void>(ask(*second, steps_[1]));
}

Result<RequestId> MembershipFaults::ask(std::size_t through, const Step& step) {
    Node& node = world_.node(through);
    const Instant now = world_.local_now(through);
    const NodeId about = world_.process(step.process).setup.options.id;
    Result<RequestId> request = Status::busy;
    if (step.op == kLead) {
        request = node.transfer_leadership(now, about);
    } else {
        const bool adds = step.op == ChangeOp::add_learner;
        const std::string address = adds ? World::address_of(step.process) : "";
        ledger::MemberCommand command{};
        for (std::size_t i = 0; i < voters_.size(); ++i) {
            if (adds && voters_[i] == step.process) command.change.storage = storages_[i].value();
        }
        command.change.node = about.value();
        command.change.op = static_cast<std::uint8_t>(step.op);
        command.address = std::as_bytes(std::span(address));
        if (step.op == ChangeOp::remove) removed_ |= set_of(step.process);
        audit_.configurations().asked(world_.now(), command.change);
        request = node.change_member(now, command);
    }
    if (request.ok()) world_.touch(through);
    return request;
}

void MembershipFaults::on_send(Instant, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    if (!asked_ || asked_->process != to || asked_->step.op == kLead || (types_of(bytes) & bit(wire::RecordType::command_reply)) == 0)
        return;
    const bool leads = world_.node(process).status(world_.local_now(process)).role == consensus::Role::leader;
    if (!leads || audit_.leads_with_entry(process)) return;
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::command_reply) return;
        const bool busy = record.as<wire::CommandReply>().status() == static_cast<std::uint8_t>(Status::busy);
        if (busy) audit_.configurations().happened(MemberNews::refused_too_early);
    });
}

void MembershipFaults::on_event(Instant, std::size_t process, const Node&, const Event& event) {
    if (event.kind != EventKind::request_done || !asked_ || asked_->process != process || asked_->request != event.request) return;
    if (event.status == Status::ok && asked_->step.op == kLead) audit_.configurations().happened(MemberNews::handed_over);
    // Nobody goes on for ever about who leads.
    const bool over = event.status == Status::ok || asked_->step.op == kLead;
    const bool current = !steps_.empty() && steps_.front() == asked_->step;
    asked_.reset();
    if (over && current) steps_.pop_front();
    work_in(over ? pause_ : kRetry);
}

void MembershipFaults::on_crash(Instant, std::size_t process, const Node&) {
    if (asked_ && asked_->process == process) asked_.reset();
}

}  // namespace dunlin::sim
