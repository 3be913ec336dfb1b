#include <sim/small_cluster.hpp>

#include <gtest/gtest.h>

namespace dunlin::sim {
namespace {

constexpr std::size_t kDisk = std::size_t{1} << 20U;
constexpr std::uint64_t kLines = 600;

// Publishes the numbers 1, 2, 3, ... each under its own position, as far as the node takes them; after a restart it goes
// on behind the position that the journal kept.
class CountingPublisher final : public Recorder {
  public:
    explicit CountingPublisher(std::uint64_t last) : last_(last) {}
    void on_event(const Context& context, const Event& event) override {
        Recorder::on_event(context, event);
        if (event.kind == EventKind::started) next_ = context.node().publish_position() + 1;
        if (event.kind == EventKind::outcome && event.outcome != Outcome::acknowledged) ++dead;
        publish(context);
    }
    void on_timer(const Context& context) override { publish(context); }

    std::uint64_t dead = 0;

  private:
    void publish(const Context& context) {
        for (int burst = 0; burst < 8 && next_ != 0 && next_ <= last_; ++burst, ++next_) {
            const std::string text = std::to_string(next_);
            bus::PublishOptions options;
            options.topic = "line";
            options.payload = bytes_of(text);
            options.position = next_;
            if (!context.node().publish(context.now(), options).ok()) break;
        }
        context.wake_at(context.now() + milliseconds{1});
    }
    std::uint64_t last_;
    std::uint64_t next_ = 0;
};

// Keeps a file of lines outside the process, cut to the stored position at each start.
class FilingSubscriber final : public Application {
  public:
    explicit FilingSubscriber(std::vector<std::string>& file) : file_(file) {}
    void on_start(const Context& context) override {
        bus::SubscribeOptions options;
        options.durable_id = 7;
        node_ = &context.node();
        const auto made = context.node().subscribe(
            "line", {[](void* self, const bus::Message& message) { return static_cast<FilingSubscriber*>(self)->take(message); }, this},
            options);
        DUNLIN_ASSERT(made.ok());
    }
    void on_event(const Context& context, const Event& event) override {
        if (event.kind == EventKind::started) file_.resize(context.node().receive_position());
    }

  private:
    bus::Verdict take(const bus::Message& message) {
        file_.push_back(text_of(message.payload));
        node_->store_receive_position(file_.size());
        return bus::Verdict::accept;
    }
    std::vector<std::string>& file_;
    Node* node_ = nullptr;
};

// A durable publisher and a durable subscriber, both killed again and again: the file is whole and in order.
void survive(std::uint64_t seed) {
    SmallCluster cluster(seed, 1);
    std::vector<std::string> file;
    const std::size_t publisher = cluster.add(kDisk, [] { return std::make_unique<CountingPublisher>(kLines); });
    const std::size_t subscriber = cluster.add(kDisk, [&file] { return std::make_unique<FilingSubscriber>(file); });
    for (const std::size_t process : {publisher, subscriber}) {
        cluster.world.process(process).setup.memory = holder_of<kSimMember>();
        cluster.world.format_member(process);
    }
    cluster.world.process(subscriber).setup.seeds = {publisher};
    cluster.world.network().faults.loss_ppm = 50'000;
    cluster.world.start_all();
    for (int kill = 0; kill < 6; ++kill) {
        const std::size_t victim = kill % 2 == 0 ? publisher : subscriber;
        cluster.world.run_for(milliseconds{300} + cluster.world.workload().between(Duration{0}, milliseconds{1500}));
        cluster.world.crash(victim);
        cluster.world.run_for(cluster.world.workload().between(Duration{0}, milliseconds{500}));
        cluster.world.restart(victim);
    }
    ASSERT_TRUE(cluster.world.run_until([&] { return file.size() >= kLines; }, seconds{60})) << "seed " << seed << ": " << file.size();
    cluster.world.run_for(seconds{2});
    ASSERT_EQ(file.size(), kLines) << "seed " << seed;
    for (std::uint64_t i = 0; i < kLines; ++i) ASSERT_EQ(file[i], std::to_string(i + 1)) << "seed " << seed;
}

TEST(Restart, a_file_of_durable_messages_is_whole_whoever_is_killed) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) survive(seed);
}

TEST(Restart, voters_recover_from_their_journals_after_all_of_them_crash_at_once) {
    SmallCluster cluster(11, 3);
    const std::size_t member = cluster.add(0, {});
    cluster.world.start_all();
    cluster.world.run_for(seconds{3});
    const auto last_status = [&](RequestId request) {
        for (const Event& event : cluster.recorder(member).events) {
            if (event.kind == EventKind::request_done && event.request == request) return event.status;
        }
        return Status::busy;
    };
    const auto put = cluster.world.node(member).put(cluster.world.local_now(member), "mode", bytes_of("auto"));
    ASSERT_TRUE(put.ok());
    cluster.world.touch(member);
    ASSERT_TRUE(cluster.world.run_until([&] { return last_status(put.value()) == Status::ok; }, seconds{5}));
    for (std::size_t i = 0; i < 3; ++i) cluster.world.crash(i);
    for (std::size_t i = 0; i < 3; ++i) cluster.world.restart(i);
    cluster.world.run_for(seconds{5});
    const auto get = cluster.world.node(member).get(cluster.world.local_now(member), "mode");
    ASSERT_TRUE(get.ok());
    cluster.world.touch(member);
    ASSERT_TRUE(cluster.world.run_until([&] { return last_status(get.value()) != Status::busy; }, seconds{10}));
    EXPECT_EQ(last_status(get.value()), Status::ok);
}

TEST(Restart, a_voter_that_was_away_behind_the_ring_gets_the_image) {
    SmallCluster cluster(12, 3);
    const std::size_t member = cluster.add(0, {});
    cluster.world.start_all();
    cluster.world.run_for(seconds{3});
    const std::size_t away = (cluster.leader() + 1) % 3;
    cluster.world.crash(away);
    for (int i = 0; i < 400; ++i) {
        static_cast<void>(cluster.world.node(member).put(cluster.world.local_now(member), "k" + std::to_string(i % 8), bytes_of("value")));
        cluster.world.touch(member);
        cluster.world.run_for(milliseconds{20});
    }
    cluster.world.restart(away);
    const auto caught_up = [&] {
        const auto leader = cluster.leader();
        if (leader == cluster.world.size()) return false;
        const auto status = cluster.world.node(leader).status(cluster.world.local_now(leader));
        const auto late = cluster.world.node(away).status(cluster.world.local_now(away));
        return late.applied == status.applied && late.state_hash == status.state_hash;
    };
    ASSERT_TRUE(cluster.world.run_until(caught_up, seconds{20}));
    // The image is in memory and not durable yet: the next life needs it once more.
    cluster.world.crash(away);
    cluster.world.restart(away);
    ASSERT_TRUE(cluster.world.run_until(caught_up, seconds{20}));
    cluster.world.run_for(seconds{1});
    EXPECT_EQ(cluster.world.node(away).counters().get(Counter::snapshots_installed), 1U);
    // Now it is.
    cluster.world.crash(away);
    cluster.world.restart(away);
    ASSERT_TRUE(cluster.world.run_until(caught_up, seconds{20}));
    EXPECT_EQ(cluster.world.node(away).counters().get(Counter::snapshots_installed), 0U);
}

TEST(Restart, a_drained_leader_hands_over_before_it_leaves) {
    SmallCluster cluster(13, 3);
    cluster.world.start_all();
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.leader() < 3; }, seconds{10}));
    cluster.world.run_for(seconds{1});
    const std::size_t first = cluster.leader();
    cluster.world.node(first).shutdown(cluster.world.local_now(first));
    cluster.world.touch(first);
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.world.node(first).drained(); }, seconds{3}));
    cluster.world.crash(first);
    // Sooner than any election timeout: the successor was asked, it did not have to find out.
    ASSERT_TRUE(cluster.world.run_until([&] { return cluster.leader() < 3; }, milliseconds{400}));
}

}  // namespace
}  // namespace dunlin::sim
