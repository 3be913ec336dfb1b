#pragma once

#include <dunlin/node/node.hpp>

namespace dunlin::sim {

// What an application may do in a call: look at its node's own clock, use its node, and ask to be woken.
class Context {
  public:
    Context(Node& node, Instant now, Instant& wake) : node_(node), now_(now), wake_(wake) {}
    [[nodiscard]] Node& node() const { return node_; }
    [[nodiscard]] Instant now() const { return now_; }  // on this node's clock, as it would read it
    // on_timer() is called at `at` or soon after; the earliest of several wins.
    void wake_at(Instant at) const {
        if (at < wake_) wake_ = at;
    }

  private:
    Node& node_;
    Instant now_;
    Instant& wake_;
};

// The code under test on one simulated node: yours. One object a life of the process: a crash destroys it, a restart
// makes a new one from the factory. Handlers that it subscribes run inside the node, as they would on a board.
class Application {
  public:
    virtual ~Application() = default;
    virtual void on_start(const Context& context) { static_cast<void>(context); }  // the node exists, recovery has not begun
    virtual void on_event(const Context& context, const Event& event) { static_cast<void>(context), static_cast<void>(event); }
    virtual void on_timer(const Context& context) { static_cast<void>(context); }
};

}  // namespace dunlin::sim
