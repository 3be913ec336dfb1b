#include <sim/small_cluster.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace dunlin::sim {
namespace {

consteval Limits with_lanes(Limits limits) {
    limits.lanes = 3;
    return limits;
}
constexpr Limits kMember = with_lanes(kSimMember);

// Keeps the bulk lane as full as it gets, and says something urgent four times a second.
class Flooder final : public Application {
  public:
    explicit Flooder(World& world) : world_(world) {}
    void on_event(const Context& context, const Event& event) override {
        if (event.kind == EventKind::started) context.wake_at(context.now());
        if (event.kind == EventKind::session_closed) ++sessions_lost;
    }
    void on_timer(const Context& context) override {
        const std::string bulk(900, 'b');
        while (context.node().publish(context.now(), {.topic = "bulk", .payload = bytes_of(bulk), .lane = Lane::bulk}).ok()) ++published;
        if (context.now() >= urgent_at_) {
            std::string numbered = std::to_string(said.size());
            numbered.resize(bulk.size(), ' ');  // as long: where bulk finds no room any more, this must find some
            if (context.node().publish(context.now(), {.topic = "stop", .payload = bytes_of(numbered), .lane = Lane::urgent}).ok())
                said.push_back(world_.now());
            urgent_at_ = context.now() + milliseconds{250};
        }
        context.wake_at(context.now() + milliseconds{5});
    }
    std::vector<Instant> said;
    int published = 0;
    int sessions_lost = 0;

  private:
    World& world_;
    Instant urgent_at_{};
};

// The story: a line of 40 kB a second is full of bulk. What is urgent passes all the same, within two turns of the line's queue,
// though a bulk message takes seconds; nobody is suspected, because control passes too; and bulk fills what is left.
TEST(CloggedLink, urgent_messages_and_control_pass_and_bulk_gets_the_rest) {
    SmallCluster cluster(7, 1);
    World& world = cluster.world;
    ProcessSetup setup;
    setup.options.id = NodeId{2};
    setup.options.cluster = "sim";
    setup.memory = holder_of<kMember>();
    setup.application = [&world] { return std::make_unique<Flooder>(world); };
    const std::size_t publisher = world.add(setup);
    setup.options.id = NodeId{3};
    setup.application = [] { return std::make_unique<Recorder>("+"); };
    setup.seeds = {publisher};
    const std::size_t subscriber = world.add(setup);
    world.network().faults.bytes_per_s = 40'000;
    world.start_all();

    world.run_for(seconds{2});
    auto& flooder = static_cast<Flooder&>(world.application(publisher));
    std::vector<Duration> waits;
    std::size_t bulk = 0;
    const std::size_t before = flooder.said.size();
    cluster.recorder(subscriber).on_message = [&] {
        const std::string& payload = cluster.recorder(subscriber).received.back();
        if (payload.front() == 'b') {
            ++bulk;
        } else if (const std::size_t number = std::stoul(payload); number >= before) {
            waits.push_back(world.now() - flooder.said.at(number));
        }
    };
    world.run_for(seconds{20});
    ASSERT_GE(waits.size(), 75U);
    EXPECT_LE(*std::ranges::max_element(waits), milliseconds{450});
    EXPECT_GE(bulk, 500U);  // of some 800 that the line can carry
    EXPECT_EQ(flooder.sessions_lost, 0);
    for (const std::size_t process : {std::size_t{0}, publisher, subscriber}) {
        EXPECT_EQ(world.node(process).counters().get(Counter::peers_suspected), 0U);
    }
}

}  // namespace
}  // namespace dunlin::sim
