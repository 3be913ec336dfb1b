#pragma once

#include <dunlin_sim/world.hpp>

#include <deque>
#include <functional>
#include <memory>

// What worlds with a slow server have in common.
namespace dunlin::sim {

// Messages that a handler has taken as pending, each of which it ends at its time, one after the other.
class JobQueue {
  public:
    JobQueue(World& world, std::size_t process) : world_(world), process_(process) {}

    [[nodiscard]] bus::Verdict put(Instant done, const bus::CompletionId& job) {
        jobs_.push_back({done, job});
        world_.wake(process_, jobs_.front().done);
        return bus::Verdict::pending;
    }
    // From Application::on_timer(): how many were ended.
    std::size_t end_due(const Context& context) {
        std::size_t ended = 0;
        for (; !jobs_.empty() && jobs_.front().done <= context.now(); jobs_.pop_front(), ++ended)
            static_cast<void>(context.node().complete(context.now(), jobs_.front().job, bus::Verdict::accept));
        if (!jobs_.empty()) context.wake_at(jobs_.front().done);
        return ended;
    }
    void put_off(Duration time) {
        for (Job& each : jobs_) each.done += time;
    }
    [[nodiscard]] std::size_t size() const { return jobs_.size(); }

  private:
    struct Job {
        Instant done;
        bus::CompletionId job;
    };
    World& world_;
    std::size_t process_;
    std::deque<Job> jobs_;
};

// The next process of a world: its NodeId is one more than its number.
inline std::size_t add_process(World& world, MakeHolder memory, std::function<std::unique_ptr<Application>()> application) {
    ProcessSetup setup;
    setup.options.id = NodeId{static_cast<std::uint16_t>(world.size() + 1)};
    setup.memory = std::move(memory);
    setup.application = std::move(application);
    return world.add(std::move(setup));
}

}  // namespace dunlin::sim
