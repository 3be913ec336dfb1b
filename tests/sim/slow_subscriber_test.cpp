#include <dunlin_sim/world.hpp>
#include <sim/job_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::sim {
namespace {

// Six nodes publish, each to a slow subscriber and to a quick one. The slow one has room for 64 messages that wait, and its handler is
// done with a hundred a second, of six hundred that are published.
constexpr std::size_t kPublishers = 6;
constexpr std::size_t kSlow = 0;
constexpr std::size_t kQuick = 1;
constexpr Duration kJobTime = milliseconds{10};
constexpr Duration kPublishEvery = milliseconds{10};

constexpr Limits kPublisher{
    .peers = 4,
    .outbox_bytes = 64 * 1024,
    .outbox_messages = 512,
    .deliveries = 512,
    .lane_window = 128,
    .packets_in_flight_per_peer = 32,
    .journal_buffer_bytes = 0,
};
constexpr Limits kSubscriber{
    .peers = 8,
    .inbox_bytes = 16 * 1024,
    .inbox_messages = 64,
    .packets_in_flight_per_peer = 32,
    .journal_buffer_bytes = 0,
};

// Ends what it is given one after the other, each in its job's time.
class Subscriber final : public Application {
  public:
    Subscriber(World& world, std::size_t process, std::string topic, Duration job)
        : world_(world), process_(process), topic_(std::move(topic)), job_(job) {}
    void on_start(const Context& context) override {
        const bus::Handler handler{[](void* self, const bus::Message& message) { return static_cast<Subscriber*>(self)->take(message); },
                                   this};
        DUNLIN_ASSERT(context.node().subscribe(topic_, handler, {}).ok());
    }
    void on_timer(const Context& context) override { static_cast<void>(jobs_.end_due(context)); }
    void becomes_quick() { job_ = Duration{0}; }
    [[nodiscard]] std::uint64_t taken() const { return taken_; }

  private:
    bus::Verdict take(const bus::Message& message) {
        ++taken_;
        const Instant now = world_.local_now(process_);
        free_at_ = std::max(free_at_, now) + job_;
        if (free_at_ <= now) return bus::Verdict::accept;
        return jobs_.put(free_at_, message.completion);
    }

    World& world_;
    std::size_t process_;
    std::string topic_;
    Duration job_;
    Instant free_at_{};
    JobQueue jobs_{world_, process_};
    std::uint64_t taken_ = 0;
};

class SlowSubscriber : public testing::Test {
  protected:
    SlowSubscriber() : world_(1) {
        add_process(world_, holder_of<kSubscriber>(), [this] { return std::make_unique<Subscriber>(world_, kSlow, "slow", kJobTime); });
        add_process(world_, holder_of<kSubscriber>(),
                    [this] { return std::make_unique<Subscriber>(world_, kQuick, "quick", Duration{0}); });
        for (std::size_t i = 0; i < kPublishers; ++i) {
            const std::size_t process = add_process(world_, holder_of<kPublisher>(), nullptr);
            world_.process(process).setup.seeds = {kSlow, kQuick};
        }
        world_.start_all();
    }
    Subscriber& subscriber(std::size_t process) { return static_cast<Subscriber&>(world_.application(process)); }
    bool introduced() {
        for (std::size_t i = 2; i < world_.size(); ++i) {
            if (world_.node(i).subscriber_count("slow") != 1 || world_.node(i).subscriber_count("quick") != 1) return false;
        }
        return true;
    }
    void publish(std::size_t process, std::string_view topic, std::uint64_t& accepted, std::uint64_t& refused) {
        const std::array<std::byte, 64> payload{};
        const auto sent = world_.node(process).publish(world_.local_now(process), {.topic = topic, .payload = payload});
        world_.touch(process);
        ++(sent.ok() ? accepted : refused);
    }
    // All publish both, until `end`.
    void publish_all(Instant end) {
        for (std::size_t i = 2; i < world_.size(); ++i) {
            publish(i, "slow", slow_, slow_refused_);
            publish(i, "quick", quick_, quick_refused_);
        }
        const Instant next = world_.now() + kPublishEvery;
        if (next < end) world_.at(next, [this, end] { publish_all(end); });
    }
    std::uint64_t sum(Counter counter) {
        std::uint64_t all = 0;
        for (std::size_t i = 2; i < world_.size(); ++i) all += world_.node(i).counters().get(counter);
        return all;
    }

    World world_;
    std::uint64_t slow_ = 0;
    std::uint64_t slow_refused_ = 0;
    std::uint64_t quick_ = 0;
    std::uint64_t quick_refused_ = 0;
};

TEST_F(SlowSubscriber, stops_its_publishers_and_nothing_else) {
    ASSERT_TRUE(world_.run_until([&] { return introduced(); }, seconds{10}));
    constexpr Duration kBusy = seconds{20};
    const Instant begin = world_.now();
    publish_all(begin + kBusy);
    world_.run_for(kBusy);

    // Who publishes more than it takes is told so, and what it has accepted waits where it was published.
    EXPECT_GT(slow_refused_, slow_);
    EXPECT_NEAR(static_cast<double>(subscriber(kSlow).taken()), static_cast<double>(kBusy / kJobTime), 100.0);
    EXPECT_GT(sum(Counter::credit_waits), 0U);
    // Room is promised to each as though the others were silent, so some is refused when all begin; then hardly any.
    EXPECT_LT(world_.node(kSlow).counters().get(Counter::inbox_full_drops), 300U);
    EXPECT_LT(sum(Counter::messages_resent), sum(Counter::messages_sent) / 20);
    // The quick one has not noticed.
    EXPECT_EQ(quick_refused_, 0U);
    EXPECT_GE(subscriber(kQuick).taken(), quick_ - kPublishers);

    // And when the slow one is slow no more, all that was accepted is there within a second.
    subscriber(kSlow).becomes_quick();
    ASSERT_TRUE(world_.run_until([&] { return sum(Counter::outcomes_acknowledged) == slow_ + quick_; }, seconds{2}))
        << sum(Counter::outcomes_acknowledged) << " of " << slow_ + quick_;
    EXPECT_EQ(subscriber(kSlow).taken(), slow_) << "each once";
}

}  // namespace
}  // namespace dunlin::sim
