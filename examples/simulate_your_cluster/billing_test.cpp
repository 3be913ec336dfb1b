// The metering application in a simulated cluster: three voters, the meter and the billing node, on a network that loses and
// duplicates and with a slow disk, while processes crash. Whatever the seed: what flowed is billed, once.
#include "metering.hpp"

#include <dunlin/node/presets.hpp>
#include <dunlin_sim/world.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace {

using namespace dunlin;

constexpr Limits member_limits() {
    Limits limits = limits::small;
    limits.voter = false;
    return limits;
}

// Each process is made anew at every start, from its factory below; what survives it stands in Plant.
class MeterProcess final : public sim::Application {
  public:
    explicit MeterProcess(std::uint64_t& flowed) : flowed_(flowed) {}
    void on_start(const sim::Context& context) override { meter_.emplace(context.node(), flowed_); }
    void on_event(const sim::Context& context, const Event& event) override {
        if (event.kind != EventKind::started) return;
        meter_->on_started();
        context.wake_at(context.now() + kTick);
    }
    void on_timer(const sim::Context& context) override {
        meter_->publish(context.now());
        context.wake_at(context.now() + kTick);
    }

  private:
    static constexpr Duration kTick = milliseconds{50};
    std::uint64_t& flowed_;
    std::optional<metering::Meter> meter_;
};

class BillingProcess final : public sim::Application {
  public:
    BillingProcess(metering::Bookkeeping bookkeeping, std::uint64_t& stored) : bookkeeping_(bookkeeping), stored_(stored) {}
    void on_start(const sim::Context& context) override {
        billing_.emplace(context.node(), bookkeeping_, stored_);
        ASSERT_EQ(billing_->start(), Status::ok);
    }
    void on_event(const sim::Context&, const Event& event) override {
        if (event.kind == EventKind::started) billing_->on_started();
    }
    [[nodiscard]] std::uint64_t litres() const { return billing_->litres(); }

  private:
    metering::Bookkeeping bookkeeping_;
    std::uint64_t& stored_;
    std::optional<metering::Billing> billing_;
};

class Plant {
  public:
    Plant(std::uint64_t seed, metering::Bookkeeping bookkeeping) : world(seed) {
        for (int i = 0; i < 3; ++i) add(sim::holder_of<limits::small>(), journal_device_bytes_min<limits::small>(), {});
        world.found_cluster(std::vector<std::size_t>{0, 1, 2}, limits::small.ledger);
        add_member([this] { return std::make_unique<MeterProcess>(flowed); });
        add_member([this, bookkeeping] { return std::make_unique<BillingProcess>(bookkeeping, stored); });
        world.network().faults.loss_ppm = 50'000;
        world.network().faults.duplicate_ppm = 20'000;
        world.set_sync_stall(kBilling, milliseconds{100});  // it often dies with a message handled and nothing of it durable
        world.start_all();
    }

    // Water flows for half a minute; in about every second step some process dies, and is started again.
    void run_badly() {
        Random& random = world.workload();
        for (int step = 0; step < 60; ++step) {
            flowed += 1 + random.below(5);
            world.run_for(random.between(milliseconds{1}, seconds{1}));
            const std::size_t victim = random.below(2 * world.size());
            if (victim >= world.size() || !world.running(victim)) continue;
            world.crash(victim);
            world.run_for(random.between(milliseconds{1}, seconds{1}));
            world.restart(victim);
        }
    }
    [[nodiscard]] std::uint64_t billed() { return dynamic_cast<BillingProcess&>(world.application(kBilling)).litres(); }

    static constexpr std::size_t kBilling = 4;
    std::uint64_t flowed = 0;  // the meter's hardware
    std::uint64_t stored = 0;  // the billing node's own storage
    sim::World world;

  private:
    void add_member(std::function<std::unique_ptr<sim::Application>()> application) {
        constexpr Limits kMember = member_limits();
        world.format_member(add(sim::holder_of<kMember>(), journal_device_bytes_min<kMember>(), std::move(application)));
    }
    std::size_t add(sim::MakeHolder memory, std::uint64_t disk_bytes, std::function<std::unique_ptr<sim::Application>()> application) {
        sim::ProcessSetup setup;
        setup.options.id = NodeId{static_cast<std::uint16_t>(world.size() + 1)};
        setup.options.cluster = "plant";
        setup.memory = std::move(memory);
        setup.application = std::move(application);
        setup.disk_bytes = static_cast<std::size_t>(disk_bytes);
        // Publisher and subscriber must know one another; everybody knows a voter.
        setup.seeds = {world.size() == kBilling ? kBilling - 1 : 0};
        setup.clock_rate_ppm = 100 * static_cast<std::int64_t>(world.size());
        return world.add(std::move(setup));
    }
};

class BillingTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(BillingTest, bills_what_flowed_whoever_crashed) {
    Plant plant(GetParam(), metering::Bookkeeping::with_the_watermark);
    plant.run_badly();
    EXPECT_TRUE(plant.world.run_until([&] { return plant.billed() == plant.flowed; }, seconds{30}))
        << plant.billed() << " litres billed of " << plant.flowed << "; seed " << GetParam();
    plant.world.run_for(seconds{5});
    EXPECT_EQ(plant.billed(), plant.flowed);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BillingTest, testing::Range<std::uint64_t>(1, 11));

// The bug is there on purpose: that some seed shows it proves that these tests can fail.
TEST(BillingBesideTheWatermark, bills_twice_in_some_seed) {
    int wrong = 0;
    for (std::uint64_t seed = 1; seed <= 40 && wrong == 0; ++seed) {
        Plant plant(seed, metering::Bookkeeping::beside_it);
        plant.run_badly();
        plant.world.run_for(seconds{20});
        wrong += plant.billed() != plant.flowed ? 1 : 0;
    }
    EXPECT_GT(wrong, 0);
}

}  // namespace
