#include <dunlin_sim/workload/lease_client.hpp>

#include <algorithm>

namespace dunlin::sim {

Duration LeaseClient::pause() {
    return shared_.world().workload().between(Duration{1}, std::max(Duration{1}, shared_.plan().lease_hold_max));
}

void LeaseClient::ask(const Context& context) {
    due_ = kNever;
    if (shared_.stopped()) return;
    const auto asked = context.node().acquire_lease(context.now(), name_, shared_.plan().lease_ttl);
    if (!asked.ok()) {
        due_ = context.now() + milliseconds{200};
        return;
    }
    lease_ = asked.value();
    token_ = Token{};
    shared_.wants_lease(process_, name_, lease_);
}

void LeaseClient::work(const Context& context) {
    if (lease_ == ledger::LeaseHandle{}) return ask(context);
    if (context.now() >= release_at_ || shared_.stopped()) {
        context.node().release_lease(context.now(), lease_);
        lease_ = {};
        release_at_ = kNever;
        shared_.released_lease();
        due_ = context.now() + pause();
        return;
    }
    if (context.node().lease(lease_).valid_for(context.now(), milliseconds{10})) publish_(context.now(), token_);
    due_ = std::min(release_at_, context.now() + milliseconds{100});
}

void LeaseClient::on_held(const Context& context, const Event& event) {
    if (!concerns(event)) return;
    token_ = Token{event.value};
    release_at_ = context.now() + pause();
    work(context);
    context.wake_at(due_);
}

// As one does who was paused between check and act.
void LeaseClient::on_lost(const Context& context, const Event& event) {
    if (!concerns(event)) return;
    shared_.lost_lease(token_ != Token{} && !shared_.stopped());
    if (token_ != Token{} && !shared_.stopped()) publish_(context.now(), token_);
}

}  // namespace dunlin::sim
