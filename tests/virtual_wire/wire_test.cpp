#include "frames.hpp"

#include <wire.hpp>

#include <gmock/gmock.h>

#include <array>
#include <string>
#include <vector>

namespace dunlin_wire {
namespace {

using dunlin::microseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr PortIndex kA{0};
constexpr PortIndex kB{1};
constexpr PortIndex kC{2};
constexpr dunlin::Instant kStart{dunlin::seconds{100}};

// What came out: "B5" is the frame marked 5 at port B.
class Outlets {
  public:
    Handover at_all = Handover::taken;
    std::vector<std::string> taken;

    [[nodiscard]] Wire::Offer offer() {
        return [this](PortIndex to, FrameBytes frame) {
            if (at_all != Handover::taken) return at_all;
            const std::string port(1, static_cast<char>('A' + to.value()));
            taken.push_back(port + std::to_string(std::to_integer<int>(frame.back())));
            return Handover::taken;
        };
    }
    // Everything that the wire ever delivers, at the times that it names.
    void take_all(Wire& wire) {
        while (wire.next_deadline() != dunlin::kNever) wire.deliver(wire.next_deadline(), offer());
    }
};

std::vector<std::byte> from_a(std::uint8_t mark) { return frame_of(station(2), station(1), mark); }

void expect_balance(const Wire& wire) {
    const Figures f = wire.figures();
    EXPECT_EQ(f.ways + f.duplicated, f.delivered + f.lost + f.cut + f.absent + f.overflowed + f.waiting) << to_line(f);
}

// Two ports, so that every frame goes one way.
void send_marked(Wire& wire, int count) {
    for (int i = 0; i < count; ++i) wire.receive(kStart + microseconds{i}, kA, from_a(static_cast<std::uint8_t>(i)));
}

TEST(Wire, an_unimpaired_frame_is_due_at_once_and_delivered_once) {
    Wire wire(3, 1);
    Outlets outlets;
    wire.receive(kStart, kA, from_a(5));
    EXPECT_EQ(wire.next_deadline(), kStart);
    wire.deliver(kStart, outlets.offer());
    EXPECT_THAT(outlets.taken, ElementsAre("B5", "C5"));
    EXPECT_EQ(wire.next_deadline(), dunlin::kNever);
    EXPECT_EQ(to_line(wire.figures()),
              "wire: frames=1 delivered=2 lost=0 duplicated=0 delayed_max=1 ways=2 cut=0 absent=0 overflowed=0 malformed=0 waiting=0");
}

TEST(Wire, no_frame_leaves_before_its_time) {
    Wire wire(2, 1);
    Outlets outlets;
    wire.impairment().delay_min = wire.impairment().delay_max = microseconds{300};
    wire.receive(kStart, kA, from_a(1));
    EXPECT_EQ(wire.next_deadline(), kStart + microseconds{300});
    wire.deliver(kStart + microseconds{299}, outlets.offer());
    EXPECT_THAT(outlets.taken, IsEmpty());
    EXPECT_EQ(wire.figures().waiting, 1U);
    wire.deliver(kStart + microseconds{300}, outlets.offer());
    EXPECT_THAT(outlets.taken, ElementsAre("B1"));
}

TEST(Wire, the_same_seed_and_frames_give_the_same_deliveries) {
    std::array<std::vector<std::string>, 3> taken;
    for (std::size_t i = 0; i < taken.size(); ++i) {
        Wire wire(2, i == 2 ? 2 : 1);
        Outlets outlets;
        wire.impairment() = {.loss_ppm = 200'000, .duplicate_ppm = 200'000, .delay_min = microseconds{0}, .delay_max = microseconds{50}};
        wire.allow_reordering();
        send_marked(wire, 200);
        outlets.take_all(wire);
        expect_balance(wire);
        taken[i] = outlets.taken;
    }
    EXPECT_EQ(taken[0], taken[1]);
    EXPECT_NE(taken[0], taken[2]);
}

TEST(Wire, frames_of_one_way_keep_their_order_unless_they_are_allowed_to_overtake) {
    for (const bool reorders : {false, true}) {
        Wire wire(2, 1);
        Outlets outlets;
        wire.impairment().delay_max = microseconds{1000};
        if (reorders) wire.allow_reordering();
        send_marked(wire, 9);
        outlets.take_all(wire);
        EXPECT_EQ(outlets.taken.size(), 9U);
        EXPECT_EQ(std::ranges::is_sorted(outlets.taken), !reorders);
    }
}

TEST(Wire, duplicates_and_losses_are_counted) {
    Wire wire(2, 1);
    Outlets outlets;
    wire.impairment().duplicate_ppm = ImpairmentSettings::kWhole;
    send_marked(wire, 2);
    outlets.take_all(wire);
    EXPECT_THAT(outlets.taken, ElementsAre("B0", "B0", "B1", "B1"));
    EXPECT_EQ(wire.figures().duplicated, 2U);
    wire.impairment().loss_ppm = ImpairmentSettings::kWhole;
    send_marked(wire, 3);
    outlets.take_all(wire);
    EXPECT_EQ(outlets.taken.size(), 4U);
    EXPECT_EQ(wire.figures().lost, 3U);
    EXPECT_EQ(wire.figures().duplicated, 2U);
    expect_balance(wire);
}

TEST(Wire, a_partition_cuts_what_comes_and_what_is_on_its_way) {
    Wire wire(3, 1);
    Outlets outlets;
    wire.impairment().delay_min = wire.impairment().delay_max = microseconds{100};
    wire.receive(kStart, kA, from_a(1));
    wire.partition().isolate(kB);
    wire.receive(kStart, kA, from_a(2));
    outlets.take_all(wire);
    EXPECT_THAT(outlets.taken, ElementsAre("C1", "C2"));
    EXPECT_EQ(wire.figures().cut, 2U);
    wire.partition().heal();
    wire.receive(kStart + microseconds{200}, kA, from_a(3));
    outlets.take_all(wire);
    EXPECT_THAT(outlets.taken, ElementsAre("C1", "C2", "B3", "C3"));
    expect_balance(wire);
}

TEST(Wire, what_was_sent_in_a_partition_never_arrives_however_soon_it_is_healed) {
    Wire wire(2, 1);
    Outlets outlets;
    wire.partition().isolate(kB);
    wire.receive(kStart, kA, from_a(1));
    wire.partition().heal();
    outlets.take_all(wire);
    EXPECT_THAT(outlets.taken, IsEmpty());
    EXPECT_EQ(wire.figures().cut, 1U);
}

TEST(Wire, who_is_not_there_misses_its_frames_and_gets_those_that_come_later) {
    Wire wire(2, 1);
    Outlets outlets;
    outlets.at_all = Handover::absent;
    send_marked(wire, 3);
    outlets.take_all(wire);
    EXPECT_EQ(wire.figures().absent, 3U);
    outlets.at_all = Handover::taken;
    send_marked(wire, 1);
    outlets.take_all(wire);
    EXPECT_THAT(outlets.taken, ElementsAre("B0"));
    expect_balance(wire);
}

TEST(Wire, who_is_behind_is_offered_its_frames_again_in_their_order) {
    Wire wire(2, 1);
    Outlets outlets;
    send_marked(wire, 3);
    outlets.at_all = Handover::full;
    const dunlin::Instant later = kStart + microseconds{10};
    wire.deliver(later, outlets.offer());
    EXPECT_EQ(wire.next_deadline(), later + Wire::kRetryAfter);
    outlets.at_all = Handover::taken;
    wire.deliver(later + Wire::kRetryAfter - microseconds{1}, outlets.offer());
    EXPECT_THAT(outlets.taken, IsEmpty());
    wire.deliver(later + Wire::kRetryAfter, outlets.offer());
    EXPECT_THAT(outlets.taken, ElementsAre("B0", "B1", "B2"));
}

TEST(Wire, who_is_behind_for_too_long_loses_what_comes_then_and_holds_up_nobody) {
    Wire wire(3, 1, 4);
    const Wire::Offer all_but_b = [](PortIndex to, FrameBytes) { return to == kB ? Handover::full : Handover::taken; };
    for (int i = 0; i < 10; ++i) {
        const dunlin::Instant now = kStart + i * Wire::kRetryAfter;
        wire.receive(now, kA, frame_of(kBroadcast, station(1)));
        wire.deliver(now, all_but_b);
    }
    const Figures figures = wire.figures();
    EXPECT_EQ(figures.delivered, 10U);  // at C
    EXPECT_EQ(figures.overflowed, 6U);
    EXPECT_EQ(figures.waiting, 4U);
    EXPECT_EQ(figures.delayed_max, 4U);
    expect_balance(wire);
}

TEST(Wire, what_is_no_frame_is_counted_and_goes_nowhere) {
    Wire wire(2, 1);
    for (const std::size_t bytes : {std::size_t{0}, kFrameBytesMin - 1, kFrameBytesMax + 1})
        wire.receive(kStart, kA, std::vector<std::byte>(bytes));
    EXPECT_EQ(wire.next_deadline(), dunlin::kNever);
    EXPECT_EQ(wire.figures().malformed, 3U);
    EXPECT_EQ(wire.figures().frames, 0U);
    for (const std::size_t bytes : {kFrameBytesMin, kFrameBytesMax}) wire.receive(kStart, kA, std::vector<std::byte>(bytes));
    EXPECT_EQ(wire.figures().frames, 2U);
    EXPECT_EQ(wire.figures().malformed, 3U);
}

}  // namespace
}  // namespace dunlin_wire
