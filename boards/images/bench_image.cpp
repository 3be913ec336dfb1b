// What a message, a Raft entry and a lease cost on this core, in instructions; exact under QEMU's -icount shift=6, and the same in every
// run. Prints one line a figure: its name and the mean of many rounds, in 20 ms of virtual time each. Where a packet holds several messages
// the figure is of one of them.
//
//   publish              publish() of 64 bytes to one subscriber, and poll_transmit() until it gives nothing: the message is in a packet of
//                        its own. Sessions are open, the topic is known to the subscriber, nothing is unsettled.
//   publish_filled       as publish, for each of 7 messages that leave in one packet
//   receive              on_datagram() of that packet, in which the handler runs and accepts
//   receive_filled
//   answer               at the subscriber, poll_transmit() until it gives nothing: the ack and the settlement
//   answer_filled        after the delay in which settlements are gathered
//   settle               at the publisher, on_datagram() of the answer, and poll_event() until it gives nothing: the outcome
//   settle_filled
//   append_leader        at the leader of three voters, all calls from put() of 4 bytes to the event that tells that it was committed
//   append_follower      at one of the two others, all calls meanwhile
//   renew_holder         at a member that holds a lease: its calls in 60 s, less those in 60 s without a lease, by the number of renewals
//   renew_leader         the same at the leader
//   turn_member          one turn of a board's loop in which nothing is due, at a member with four peers: poll_*() and next_deadline()
//   turn_voter           the same at the leader, with its four
//   second_member        one second of a member in which the application does nothing
//   second_leader        the same at the leader
#include "measured_cluster.hpp"

#include <cortex_m/board.hpp>

namespace {

using namespace dunlin;
using namespace measured;

constexpr std::uint32_t kRounds = 100;
constexpr std::uint32_t kFilled = 7;  // what the limits `micro` take at a time from one of four peers
constexpr Duration kPause = milliseconds{20};
constexpr Duration kLeaseTtl = seconds{3};
constexpr seconds kWatched{60};

std::array<std::byte, 64> payload;

void report(std::string_view name, std::uint32_t instructions) {
    board::print(name);
    board::print(" ");
    board::print(std::uint64_t{instructions});
    board::print("\n");
}

// The timer must count instructions, or the figures mean nothing.
void check_timer() {
    constexpr std::uint32_t kLoops = 100'000;
    std::uint32_t left = kLoops;
    const std::uint32_t since = instruction_timer::now();
    asm volatile("1: subs %0, #1\n bne 1b" : "+r"(left)::"cc");
    const std::uint32_t measured = instruction_timer::instructions(instruction_timer::now() - since);
    report("loop_of_200000", measured);
    require(measured >= 2 * kLoops && measured < 2 * kLoops + 20, "QEMU counts instructions: start it with -icount shift=6");
}

bus::Verdict count(void* station, const bus::Message&) {
    ++static_cast<Station*>(station)->received;
    return bus::Verdict::accept;
}

std::size_t leader() {
    for (std::size_t i = 0; i < kVoters; ++i) {
        if (stations[i].node->status(now).role == consensus::Role::leader) return i;
    }
    return kStations;
}

template <class Condition>
void pass_until(Condition condition, std::string_view what) {
    const Instant limit = now + seconds{20};
    while (!condition()) {
        require(now < limit, what);
        pass(milliseconds{1});
    }
}

struct MessageCosts {
    std::uint32_t publish = 0;
    std::uint32_t receive = 0;
    std::uint32_t answer = 0;
    std::uint32_t settle = 0;
};

// `count` messages, from the publish to the last outcome.
MessageCosts exchange(std::uint32_t messages) {
    Station& publisher = stations[kPublisher];
    Station& subscriber = stations[kSubscriber];
    bus::PublishOptions options;
    options.topic = "valve/open";
    options.payload = payload;
    const std::uint32_t received = subscriber.received + messages;
    const std::uint32_t outcomes = publisher.outcomes + messages;
    MessageCosts costs;
    forget_costs();
    for (std::uint32_t i = 0; i < messages; ++i) {
        const bool ok = publisher.timed([&] { return publisher.node->publish(now, options).ok(); });
        require(ok, "a message is accepted");
    }
    transmit(kPublisher);
    require(subscriber.received == received, "messages arrive at once");
    costs.publish = publisher.take();
    costs.receive = subscriber.take();
    transmit(kSubscriber);
    if (messages > 1) {
        now += milliseconds{2};
        transmit(kSubscriber);
    }
    take_events(kPublisher);
    require(publisher.outcomes == outcomes, "outcomes come with the answer");
    costs.answer = subscriber.take();
    costs.settle = publisher.take();
    return costs;
}

void measure_messages(std::uint32_t messages, std::string_view suffix) {
    MessageCosts sum;
    for (std::uint32_t round = 0; round < 2 * kRounds; ++round) {
        pass(kPause);
        const MessageCosts costs = exchange(messages);
        if (round < kRounds) continue;  // round-trip times and windows settle
        sum.publish += costs.publish;
        sum.receive += costs.receive;
        sum.answer += costs.answer;
        sum.settle += costs.settle;
    }
    const auto print = [messages, suffix](std::string_view name, std::uint32_t cost) {
        board::print(name);
        report(suffix, cost / (kRounds * messages));
    };
    print("publish", sum.publish);
    print("receive", sum.receive);
    print("answer", sum.answer);
    print("settle", sum.settle);
}

void measure_appends(std::size_t leading) {
    Station& station = stations[leading];
    std::uint32_t at_leader = 0;
    std::uint32_t at_followers = 0;
    for (std::uint32_t round = 0; round < kRounds; ++round) {
        pass(kPause);
        forget_costs();
        const std::uint32_t done = station.puts_done + 1;
        const bool ok = station.timed([&] { return station.node->put(now, "mode", std::as_bytes(std::span("auto", 4))).ok(); });
        require(ok, "a put is accepted");
        station.wake = now;  // what a node asks of itself is taken up with its next input
        settle();
        require(station.puts_done == done, "a put is committed at once");
        at_leader += station.take();
        for (std::size_t i = 0; i < kVoters; ++i) {
            if (i != leading) at_followers += stations[i].take();
        }
    }
    report("append_leader", at_leader / kRounds);
    report("append_follower", at_followers / (2 * kRounds));
}

struct Spent {
    std::uint32_t member = 0;
    std::uint32_t leader = 0;
};

Spent watch(std::size_t leading) {
    forget_costs();
    pass(kWatched);
    return {stations[kPublisher].take(), stations[leading].take()};
}

void measure_renewals(std::size_t leading) {
    constexpr std::uint32_t kSeconds = static_cast<std::uint32_t>(kWatched.count());
    const Spent without = watch(leading);
    Station& holder = stations[kPublisher];
    const auto lease = holder.node->acquire_lease(now, "valve", kLeaseTtl);
    require(lease.ok(), "a lease can be asked for");
    holder.wake = now;
    pass_until([&] { return holder.node->lease(lease.value()).valid_for(now, milliseconds{1}); }, "a lease is granted");
    const Counters& counters = stations[leading].node->counters();
    const std::uint32_t before = counters.get(Counter::leases_renewed);
    const Spent with = watch(leading);
    const std::uint32_t renewals = counters.get(Counter::leases_renewed) - before;
    require(renewals >= kSeconds / 2, "a lease is renewed every third of its ttl");
    report("renew_holder", (with.member - without.member) / renewals);
    report("renew_leader", (with.leader - without.leader) / renewals);
    report("second_member", without.member / kSeconds);
    report("second_leader", without.leader / kSeconds);
}

std::uint32_t idle_turn(std::size_t station) {
    pass(kPause);
    now += microseconds{1};  // nothing is due
    forget_costs();
    turn(station);
    return stations[station].take();
}

}  // namespace

int main() {
    start();
    check_timer();
    pass_until([] { return leader() < kVoters; }, "a leader is elected");
    Station& subscriber = stations[kSubscriber];
    require(subscriber.node->subscribe("valve/+", {count, &subscriber}).ok(), "a subscription is made");
    subscriber.wake = now;
    pass_until([] { return stations[kPublisher].node->subscriber_count("valve/open") == 1; }, "a subscription is known");
    pass(seconds{10});  // path sizes are found
    measure_messages(1, "");
    measure_messages(kFilled, "_filled");
    const std::size_t leading = leader();
    measure_appends(leading);
    report("turn_member", idle_turn(kPublisher));
    report("turn_voter", idle_turn(leading));
    measure_renewals(leading);
    require(leader() == leading, "the leader stays");
    return 0;
}
