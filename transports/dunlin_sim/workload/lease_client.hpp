#pragma once

#include <dunlin_sim/application.hpp>
#include <dunlin_sim/workload/workload.hpp>

#include <cstddef>
#include <functional>
#include <string>

namespace dunlin::sim {

// What a process does, in one life, with one lease that several want: it keeps it for a while and publishes under its token,
// gives it back, and after a pause asks again. Its owner passes on time and events.
class LeaseClient {
  public:
    using Publish = std::function<void(Instant now, Token token)>;
    LeaseClient(Workload& shared, std::size_t process, std::string name, Publish publish)
        : shared_(shared), process_(process), name_(std::move(name)), publish_(std::move(publish)) {}

    void start(Instant now) { due_ = now + pause(); }
    [[nodiscard]] Instant due() const { return due_; }  // when to call work()
    void work(const Context& context);
    void on_held(const Context& context, const Event& event);
    void on_lost(const Context& context, const Event& event);

  private:
    [[nodiscard]] bool concerns(const Event& event) const { return lease_ != ledger::LeaseHandle{} && event.slot == lease_.slot; }
    [[nodiscard]] Duration pause();
    void ask(const Context& context);

    Workload& shared_;
    std::size_t process_;
    std::string name_;
    Publish publish_;
    Instant due_ = kNever;  // to ask for it, to publish under it, or to release it
    Instant release_at_ = kNever;
    ledger::LeaseHandle lease_{};
    Token token_{};  // of the grant that it holds, or held
};

}  // namespace dunlin::sim
