#include <dunlin/resilience/retry_budget.hpp>
#include <dunlin_sim/world.hpp>
#include <sim/job_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace dunlin::sim {
namespace {

// A thousand publishers, 25 on each of 40 nodes, and one server whose handlers have a queue of fifty jobs between them: who finds
// it full is told to come back later. A job takes the server 4 ms, and to turn one down takes it 1 ms, so that retries are load as
// well: two thousand of them a second would leave it no time for jobs, whatever else becomes better (a metastable failure).
constexpr std::size_t kNodes = 40;
constexpr std::size_t kPublishersANode = 25;
constexpr std::size_t kQueueMax = 50;
constexpr Duration kJobTime = milliseconds{4};
constexpr Duration kRefusalTime = milliseconds{1};
constexpr Duration kPublishEvery = seconds{10};  // a hundred jobs a second: half of what the server can do

constexpr Limits kNode{.topics = 32, .aliases_per_peer = 32, .packets_in_flight_per_peer = 32, .journal_buffer_bytes = 0};
constexpr Limits kPublisher = [] {
    Limits limits = kNode;
    limits.peers = 2;
    limits.local_subscriptions = 1;
    limits.remote_subscriptions = 32;
    limits.outbox_bytes = 32 * 1024;
    limits.outbox_messages = limits.deliveries = 256;
    return limits;
}();
constexpr Limits kServer = [] {
    Limits limits = kNode;
    limits.peers = 48;
    limits.local_subscriptions = 32;
    limits.remote_subscriptions = 64;
    limits.inbox_bytes = 1024 * 1024;
    limits.inbox_messages = 8192;
    limits.unsettled_max = 256;
    limits.events = 128;
    return limits;
}();

std::string topic(std::size_t publisher) { return "job/" + std::to_string(publisher); }

class Server final : public Application {
  public:
    explicit Server(World& world) : world_(world) {}
    void on_start(const Context& context) override {
        const bus::Handler handler{[](void* self, const bus::Message& message) { return static_cast<Server*>(self)->take(message); }, this};
        for (std::size_t i = 0; i < kPublishersANode; ++i) DUNLIN_ASSERT(context.node().subscribe(topic(i), handler, {}).ok());
    }
    void on_timer(const Context& context) override { done_ += jobs_.end_due(context); }
    // Does nothing until then.
    void stand_still_until(Instant end) { free_at_ = std::max(free_at_, end); }

    [[nodiscard]] std::uint64_t done() const { return done_; }
    [[nodiscard]] const std::vector<Instant>& asked() const { return asked_; }

  private:
    bus::Verdict take(const bus::Message& message) {
        const Instant now = world_.local_now(0);
        asked_.push_back(now);
        const bool full = jobs_.size() >= kQueueMax;
        free_at_ = std::max(free_at_, now) + (full ? kRefusalTime : kJobTime);
        if (full) {
            jobs_.put_off(kRefusalTime);
            return bus::Verdict::retry_later;
        }
        return jobs_.put(free_at_, message.completion);
    }

    World& world_;
    Instant free_at_{};
    JobQueue jobs_{world_, 0};
    std::vector<Instant> asked_;
    std::uint64_t done_ = 0;
};

class Publishers final : public Application {
  public:
    Publishers(World& world, std::size_t process) : world_(world), process_(process) {}
    // All publish at once, and then each at its own pace.
    void begin(Duration for_time) {
        for (std::size_t i = 0; i < kPublishersANode; ++i) publish(i, world_.now() + for_time);
    }
    void on_event(const Context&, const Event& event) override {
        if (event.kind != EventKind::outcome) return;
        ++(event.outcome == Outcome::acknowledged ? acknowledged_ : dead_);
    }
    [[nodiscard]] std::uint64_t published() const { return published_; }
    [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
    [[nodiscard]] std::uint64_t dead() const { return dead_; }

  private:
    void publish(std::size_t publisher, Instant end) {
        const std::string name = topic(publisher);
        const auto sent = world_.node(process_).publish(world_.local_now(process_), {.topic = name});
        world_.touch(process_);
        published_ += sent.ok() ? 1 : 0;
        const Instant next = world_.now() + world_.workload().between(kPublishEvery / 2, kPublishEvery * 3 / 2);
        if (next < end) world_.at(next, [this, publisher, end] { publish(publisher, end); });
    }

    World& world_;
    std::size_t process_;
    std::uint64_t published_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t dead_ = 0;
};

class Storm : public testing::Test {
  protected:
    Storm() : world_(1) {
        add_process(world_, holder_of<kServer>(), [this] { return std::make_unique<Server>(world_); });
        for (std::size_t i = 1; i <= kNodes; ++i) {
            const std::size_t process =
                add_process(world_, holder_of<kPublisher>(), [this, i] { return std::make_unique<Publishers>(world_, i); });
            world_.process(process).setup.seeds = {0};
        }
        world_.start_all();
    }
    Server& server() { return static_cast<Server&>(world_.application(0)); }
    Publishers& publishers(std::size_t node) { return static_cast<Publishers&>(world_.application(node)); }
    std::uint64_t sum(std::uint64_t (Publishers::*of)() const) {
        std::uint64_t all = 0;
        for (std::size_t i = 1; i <= kNodes; ++i) all += (publishers(i).*of)();
        return all;
    }
    bool introduced() {
        for (std::size_t i = 1; i <= kNodes; ++i) {
            for (std::size_t k = 0; k < kPublishersANode; ++k) {
                if (world_.node(i).subscriber_count(topic(k)) != 1) return false;
            }
        }
        return true;
    }
    // The most that handlers were asked within any `window` of [from, to).
    std::size_t densest(Instant from, Instant to, Duration window) {
        const std::vector<Instant>& asked = server().asked();
        std::size_t most = 0;
        const auto end = std::lower_bound(asked.begin(), asked.end(), to);
        for (auto first = std::lower_bound(asked.begin(), asked.end(), from); first < end; ++first) {
            most = std::max(most, static_cast<std::size_t>(std::upper_bound(first, end, *first + window) - first));
        }
        return most;
    }

    World world_;
};

TEST_F(Storm, of_a_thousand_publishers_stays_within_its_budget_and_a_server_that_was_slow_recovers) {
    constexpr Duration kSlow = seconds{10};
    constexpr Duration kBusy = seconds{20};
    ASSERT_TRUE(world_.run_until([&] { return introduced(); }, seconds{30}));
    const Instant begin = world_.now();
    server().stand_still_until(begin + kSlow);
    for (std::size_t i = 1; i <= kNodes; ++i) publishers(i).begin(kBusy);
    world_.run_for(kBusy);

    // Attempts are those that the publishes themselves are, a tenth of these, and ten a second and a burst of twenty a node.
    const std::uint64_t published = sum(&Publishers::published);
    EXPECT_GT(published, 2500U);
    const auto paid = static_cast<std::uint64_t>(kNodes * (20 + 10 * static_cast<std::size_t>(kBusy / seconds{1})));
    EXPECT_LE(server().asked().size(), published + published / 10 + paid);
    // They are spread: forty nodes in step would come at the same moments, each tenth of a second.
    EXPECT_LE(densest(begin + seconds{4}, begin + kSlow, milliseconds{5}), kNodes / 2);

    // So there is time for jobs, and soon nobody waits any more.
    ASSERT_TRUE(world_.run_until([&] { return sum(&Publishers::acknowledged) == published; }, seconds{20}))
        << sum(&Publishers::acknowledged) << " of " << published;
    EXPECT_EQ(sum(&Publishers::dead), 0U);
    EXPECT_EQ(server().done(), published);
    EXPECT_GT(world_.node(0).counters().get(Counter::retry_budget_waits), 0U);
}

}  // namespace
}  // namespace dunlin::sim
