// A recorded life of a whole node that is a cluster of one, its disk cut at every operation and inside each: what it has told its
// application is there, and it goes on.
#include "journal/power_cut.hpp"

#include <dunlin/node/formatter.hpp>
#include <dunlin/node/node_memory.hpp>

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

namespace dunlin::test {
namespace {

using journal::test::Content;
using journal::test::MemoryDevice;

constexpr auto kLimits = limits::voter_min;
constexpr NodeId kSelf{1};
constexpr std::array<std::string_view, 4> kKeys{"north", "east", "south", "west"};

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// What the application was told, or has asked for.
struct Told {
    std::array<unsigned, kKeys.size()> stored{};
    std::array<unsigned, kKeys.size()> asked{};
    Token token{};
    BootEpoch epoch{};
};

Content founded(journal::Geometry geometry) {
    MemoryDevice device(static_cast<std::size_t>(journal_need<kLimits>().device_bytes(geometry)), geometry);
    std::vector<std::byte> buffer(kLimits.journal_buffer_bytes);
    Counters counters;
    journal::Journal journal({buffer}, counters, geometry);
    const std::array voters{ledger::voter_row(kSelf, StorageId{11}, bytes_of("self"))};
    FormatPlan plan;
    plan.node = kSelf;
    plan.storage = StorageId{11};
    plan.stream = StreamId{12};
    plan.cluster = "c";
    plan.init = true;
    plan.bootstrap.incarnation = ClusterIncarnation{13};
    plan.bootstrap.limits = kLimits.ledger;
    plan.bootstrap.voters = voters;
    Formatter formatter(journal, plan);
    EXPECT_EQ(formatter.begin(device.size()), Status::ok);
    while (!formatter.done()) {
        if (const auto op = formatter.poll_op()) formatter.on_complete(op->id, device.perform(*op));
    }
    EXPECT_EQ(formatter.status(), Status::ok);
    return device.image();
}

// The node, and an application that waits for one answer at a time.
class Voter {
  public:
    explicit Voter(MemoryDevice& device, std::uint64_t life = 1) : device_(device), memory_(std::make_unique<NodeMemory<kLimits>>()) {
        Options options;
        options.id = kSelf;
        options.cluster = "c";
        options.instance = InstanceId{20 + life};
        options.seed = 30 + life;
        options.journal_bytes = device.size();
        options.journal_geometry = device.geometry();
        node_ = &memory_->emplace(options);
        EXPECT_EQ(node_->start(now_), Status::ok);
    }

    [[nodiscard]] bool leads() {
        return until([this] { return node_->status(now_).role == consensus::Role::leader; });
    }
    [[nodiscard]] bool put(std::size_t key, unsigned value) {
        told.asked[key] = value;
        const auto request = node_->put(now_, kKeys[key], bytes_of(std::to_string(value)));
        if (!request.ok() || !answer(request.value())) return false;
        told.stored[key] = value;
        return true;
    }
    // 0: there is none.
    [[nodiscard]] std::optional<unsigned> get(std::size_t key) {
        const auto request = node_->get(now_, kKeys[key]);
        if (!request.ok()) return std::nullopt;
        if (!answer(request.value())) return answered_ == Status::not_found ? std::optional(0U) : std::nullopt;
        return value_;
    }
    [[nodiscard]] bool hold_lease() {
        const auto lease = node_->acquire_lease(now_, "valve", milliseconds{500});
        if (!lease.ok()) return false;
        const bool held = until([&] { return node_->lease(lease.value()).valid_for(now_, milliseconds{1}); });
        told.token = std::max(told.token, node_->lease(lease.value()).token);
        node_->release_lease(now_, lease.value());
        return held;
    }

    [[nodiscard]] BootEpoch epoch() const { return node_->status(now_).epoch; }
    [[nodiscard]] std::uint32_t checkpoints() const { return node_->counters().get(Counter::journal_compactions); }

    Told told{};

  private:
    template <class Done>
    bool until(Done done) {
        for (int turns = 0; turns < 10'000; ++turns) {
            if (node_->failed()) return false;
            if (done()) return true;
            turn();
        }
        return false;
    }
    bool answer(RequestId request) {
        waited_for_ = request;
        answered_.reset();
        return until([this] { return answered_.has_value(); }) && *answered_ == Status::ok;
    }
    void turn() {
        if (now_ >= node_->next_deadline()) node_->on_timeout(now_);
        while (const auto op = node_->poll_journal()) {
            const Status status = device_.perform(*op);
            node_->on_journal(now_, op->id, status, device_.bytes_read(*op));
            take_events();
        }
        while (const auto dial = node_->poll_connect()) node_->on_path(now_, PathId{1}, {.state = PathState::down, .dial = dial->id});
        take_events();
        std::array<std::byte, 1200> packet;
        while (node_->poll_transmit(now_, packet)) {}
        now_ = std::max(now_ + microseconds{100}, std::min(node_->next_deadline(), now_ + milliseconds{50}));
    }
    void take_events() {
        while (const auto event = node_->poll_event()) {
            if (event->kind == EventKind::started) told.epoch = BootEpoch{static_cast<std::uint32_t>(event->value)};
            if (event->kind != EventKind::request_done || event->request != waited_for_) continue;
            answered_ = event->status;
            const auto bytes = node_->value_of(event->request);
            const char* const text = reinterpret_cast<const char*>(bytes.data());
            value_ = 0;
            std::from_chars(text, text + bytes.size(), value_);
        }
    }

    MemoryDevice& device_;
    std::unique_ptr<NodeMemory<kLimits>> memory_;
    Node* node_ = nullptr;
    Instant now_{seconds{1}};
    RequestId waited_for_{};
    std::optional<Status> answered_;
    unsigned value_ = 0;
};

// What is wrong with the node that starts with this content; empty: nothing.
std::string verdict(const Content& content, journal::Geometry geometry, const Told& told) {
    MemoryDevice device(content, geometry);
    Voter voter(device, 2);
    if (!voter.leads()) return "it does not come up";
    if (voter.epoch() <= told.epoch) return "an epoch comes again";
    for (std::size_t key = 0; key < kKeys.size(); ++key) {
        const auto value = voter.get(key);
        if (!value) return "it does not answer";
        if (*value < told.stored[key] || *value > told.asked[key]) {
            return std::string(kKeys[key]) + " is " + std::to_string(*value) + ", and " + std::to_string(told.stored[key]) + " was stored";
        }
    }
    if (!voter.hold_lease()) return "it gives no lease";
    if (voter.told.token <= told.token) return "a token comes again";
    if (!voter.put(0, 9999)) return "it stores nothing more";
    device.power_loss_keeping({});
    Voter next(device, 3);
    return next.leads() && next.get(0) == 9999U ? "" : "it forgets what it stored afterwards";
}

void cut_everywhere(journal::Geometry geometry, const char* medium) {
    MemoryDevice device(founded(geometry), geometry);
    journal::test::Recording recording{.start = device.image(), .geometry = geometry};
    std::vector<Told> promises;  // before each change, and after all
    Voter voter(device);
    device.on_change = [&](const journal::DeviceOp& op) {
        promises.push_back(voter.told);
        recording.add(op);
    };
    ASSERT_TRUE(voter.leads());
    for (unsigned value = 1; value <= 160; ++value) {
        ASSERT_TRUE(voter.put(value % kKeys.size(), value));
        if (value % 40 == 0) { ASSERT_TRUE(voter.hold_lease()); }
    }
    promises.push_back(voter.told);

    std::size_t cuts = 0;
    std::size_t failures = 0;
    std::string first;
    for_each_power_cut(recording, [&](std::size_t at, const Content& content) {
        ++cuts;
        const std::string wrong = verdict(content, geometry, promises[at]);
        if (wrong.empty() || ++failures > 1) return;
        std::ostringstream text;
        text << "in operation " << at << ": " << wrong;
        first = text.str();
    });
    std::cout << "power cut: " << cuts << " cut points of a node on " << medium << ", " << failures << " failures\n";
    EXPECT_EQ(failures, 0U) << first;
    EXPECT_GE(voter.checkpoints(), 2U);
    EXPECT_GT(cuts, 1000U);
}

TEST(PowerCut, at_any_operation_and_inside_it_keeps_every_promise_of_a_node) { cut_everywhere({}, "a file"); }

TEST(PowerCut, at_any_operation_and_inside_it_keeps_every_promise_of_a_node_on_flash) { cut_everywhere({4096, 16}, "flash"); }

}  // namespace
}  // namespace dunlin::test
