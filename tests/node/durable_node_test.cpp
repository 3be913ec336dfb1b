// Nodes with journals, and what a restart or a slow disk must not cost.
#include "node/node_world.hpp"

namespace dunlin {
namespace {

using test::Disk;
using test::Host;
using test::Listener;
using test::NodeWorld;

constexpr std::size_t kDiskBytes = 512 * 1024;

// `small` as it is, but for what a voter has besides.
constexpr Limits kSmallMember = [] {
    Limits limits = limits::small;
    limits.voter = false;
    return limits;
}();

Disk disk_of(std::uint16_t id) { return NodeWorld::formatted_disk(id, kDiskBytes, kSmallMember.journal_buffer_bytes); }

TEST(DurableNode, settles_what_as_many_publishers_send_as_it_has_room_for) {
    NodeWorld world;
    Disk disk = disk_of(1);
    Host& receiver = world.add<kSmallMember>(1, {}, &disk);
    Listener listener{.verdict = bus::Verdict::reject};
    ASSERT_TRUE(receiver.node->subscribe("t", bus::Handler::of(listener), {.durable_id = 5}).ok());
    std::vector<Host*> publishers;
    for (std::uint16_t i = 0; i < kSmallMember.peers; ++i)
        publishers.push_back(&world.add<limits::micro>(static_cast<std::uint16_t>(2 + i), {"1"}));
    world.run_for(seconds{3});
    receiver.disk_delay = milliseconds{20};
    constexpr std::size_t kEach = 6;
    for (Host* publisher : publishers) {
        for (std::size_t i = 0; i < kEach; ++i) ASSERT_EQ(world.publish(*publisher, "t", "x"), Status::ok);
    }
    world.run_for(seconds{30});
    for (const Host* publisher : publishers) EXPECT_EQ(publisher->outcomes(), kEach) << publisher->id;
}

// A full outbox is the worst that a journal must hold, written as one message after the other.
TEST(DurableNode, goes_on_with_the_smallest_journal_that_it_takes_though_its_outbox_is_full) {
    constexpr std::size_t kLeast = journal_device_bytes_min<kSmallMember>();
    NodeWorld world;
    Disk disk = NodeWorld::formatted_disk(1, kLeast, kSmallMember.journal_buffer_bytes);
    Disk receiver_disk = disk_of(2);
    Listener listener;
    Host& publisher = world.add<kSmallMember>(1, {"2"}, &disk);
    Host& receiver = world.add<kSmallMember>(2, {}, &receiver_disk);
    ASSERT_TRUE(receiver.node->subscribe("t", bus::Handler::of(listener), {.durable_id = 5}).ok());
    world.run_for(seconds{2});
    receiver.deaf = receiver.mute = true;
    std::size_t accepted = 0;
    for (int i = 0; i < 200; ++i) {
        if (world.publish(publisher, "t", std::string(340, 'x')) == Status::ok) ++accepted;
        world.run_for(milliseconds{10});
    }
    EXPECT_GE(accepted, 32U);
    receiver.deaf = receiver.mute = false;
    for (int i = 0; i < 500; ++i) {
        if (world.publish(publisher, "t", std::string(340, 'y')) == Status::ok) ++accepted;
        world.run_for(milliseconds{100});
    }
    EXPECT_GE(accepted, 500U);
    EXPECT_EQ(listener.heard.size(), accepted);
    EXPECT_EQ(publisher.outcomes(), accepted);
    EXPECT_GT(publisher.node->counters().get(Counter::journal_compactions), 0U);
}

// The journal knows the three by their ids: with their seeds, that is more than it has slots for.
TEST(DurableNode, dials_all_its_seeds_though_it_has_one_slot_more_than_peers) {
    constexpr Limits kFourPeers = [] {
        Limits limits = kSmallMember;
        limits.peers = 4;
        return limits;
    }();
    NodeWorld world;
    Disk disk = NodeWorld::formatted_disk(1, kDiskBytes, kFourPeers.journal_buffer_bytes);
    Listener listener;
    world.add<kFourPeers>(1, {}, &disk);
    constexpr std::array<std::uint16_t, 3> kSubscribers{2, 3, 4};
    for (const std::uint16_t id : kSubscribers) {
        Host& host = world.add<limits::micro>(id, {"1"});
        ASSERT_TRUE(host.node->subscribe("t", bus::Handler::of(listener), {.durable_id = 5}).ok());
    }
    world.run_for(seconds{2});
    for (const std::uint16_t id : std::array<std::uint16_t, 4>{1, 2, 3, 4}) world.remove(id);
    for (const std::uint16_t id : kSubscribers) world.add<limits::micro>(id);
    Host& publisher = world.add<kFourPeers>(1, {"2", "3", "4"}, &disk);
    EXPECT_EQ(publisher.node->subscriber_count("t"), 3U);
    world.run_for(seconds{5});
    EXPECT_EQ(publisher.node->status(world.now).sessions_open, 3U);
}

TEST(DurableNode, refuses_a_journal_that_could_fill_up_for_good) {
    NodeMemory<kSmallMember> memory;
    Options options;
    options.id = NodeId{1};
    options.instance = InstanceId{1};
    options.journal_bytes = journal_device_bytes_min<kSmallMember>() - 1;
    EXPECT_EQ(memory.emplace(options).start(Instant{}), Status::device_full);
}

constexpr Limits kShortBuffer = [] {
    Limits limits = limits::micro;
    limits.outbox_bytes = 8192;
    limits.inbox_bytes = 8192;
    limits.message_bytes_max = 1024;
    return limits;
}();

// A message that a node without journal would take, but whose record is longer than the journal's buffer will ever be.
TEST(DurableNode, refuses_a_message_that_no_record_of_its_journal_holds_and_keeps_nothing_of_it) {
    static_assert(kShortBuffer.journal_buffer_bytes < kShortBuffer.message_bytes_max);
    NodeWorld world;
    Disk disk = NodeWorld::formatted_disk(1, kDiskBytes, kShortBuffer.journal_buffer_bytes);
    Listener listener;
    Host& publisher = world.add<kShortBuffer>(1, {"2"}, &disk);
    Host& receiver = world.add<kShortBuffer>(2);
    ASSERT_TRUE(receiver.node->subscribe("t", bus::Handler::of(listener)).ok());
    world.run_for(seconds{2});
    const std::uint32_t free = publisher.node->status(world.now).outbox_bytes_free;
    const std::uint64_t durable = publisher.node->publish_position();
    // The first one's payload leaves no room for its delivery in one batch; the second one is longer than any record.
    for (const std::size_t bytes : {400, 1024}) {
        const std::string payload(bytes, 'l');
        const auto refused =
            publisher.node->publish(world.now, {.topic = "t", .payload = test::bytes_of(payload), .position = durable + 1});
        EXPECT_EQ(refused.status(), Status::too_large) << bytes;
        EXPECT_EQ(publisher.node->status(world.now).outbox_bytes_free, free);
        EXPECT_EQ(publisher.node->status(world.now).outbox_messages, 0U);
        EXPECT_EQ(publisher.node->publish_position(), durable);
    }
    EXPECT_EQ(world.publish(publisher, "t", "next"), Status::ok);
    world.run_for(seconds{2});
    EXPECT_EQ(listener.heard, std::vector<std::string>{"next"});
    EXPECT_EQ(publisher.outcomes(), 1U);
}

constexpr Limits kTwoPeers = [] {
    Limits limits = kSmallMember;
    limits.peers = 2;
    return limits;
}();

// Its position is the number of lines, as if each were written to a file.
struct Writer {
    bus::Verdict operator()(const bus::Message& message) {
        const bus::Verdict verdict = lines(message);
        node->store_receive_position(lines.heard.size());
        return verdict;
    }
    Node* node = nullptr;
    Listener lines{};
};

void listen(Writer& writer, Host& host) {
    writer.node = host.node;
    writer.lines.heard.resize(static_cast<std::size_t>(host.node->receive_position()));
    ASSERT_TRUE(host.node->subscribe("t", bus::Handler::of(writer), {.durable_id = 5}).ok());
}

TEST(DurableNode, remembers_after_a_restart_what_a_publisher_that_is_still_there_has_sent_though_others_came_and_went) {
    NodeWorld world;
    Disk disk = disk_of(1);
    Disk publisher_disk = disk_of(2);
    Writer writer;
    listen(writer, world.add<kTwoPeers>(1, {}, &disk));
    Host& publisher = world.add<kSmallMember>(2, {"1"}, &publisher_disk);
    world.run_for(seconds{1});
    ASSERT_EQ(world.publish(publisher, "t", "first"), Status::ok);
    world.run_for(milliseconds{100});
    publisher.deaf = true;
    ASSERT_EQ(world.publish(publisher, "t", "second"), Status::ok);
    world.run_for(milliseconds{50});
    for (const std::uint16_t id : std::array<std::uint16_t, 2>{3, 4}) {
        Host& visitor = world.add<limits::micro>(id, {"1"});
        world.run_for(milliseconds{300});
        ASSERT_EQ(world.publish(visitor, "t", "visitor"), Status::ok);
        world.run_for(milliseconds{100});
        world.stop_gracefully(id);
    }
    ASSERT_EQ(writer.lines.heard.size(), 4U);
    world.remove(1);
    listen(writer, world.add<kTwoPeers>(1, {}, &disk));
    publisher.deaf = false;
    world.run_for(seconds{20});
    EXPECT_EQ(writer.lines.count("second"), 1);
    EXPECT_EQ(publisher.outcomes(), 2U);
}

TEST(DurableNode, remembers_a_publisher_that_comes_back_long_after_the_restart) {
    NodeWorld world;
    Disk disk = disk_of(1);
    Disk publisher_disk = disk_of(2);
    Writer writer;
    listen(writer, world.add<kTwoPeers>(1, {}, &disk));
    Host& publisher = world.add<kSmallMember>(2, {"1"}, &publisher_disk);
    world.run_for(seconds{1});
    publisher.deaf = true;
    ASSERT_EQ(world.publish(publisher, "t", "x"), Status::ok);
    world.run_for(milliseconds{50});
    publisher.mute = true;
    world.remove(1);
    listen(writer, world.add<kTwoPeers>(1, {}, &disk));
    world.run_for(seconds{60});
    publisher.deaf = publisher.mute = false;
    world.run_for(seconds{20});
    EXPECT_EQ(writer.lines.count("x"), 1);
    EXPECT_EQ(publisher.outcomes(), 1U);
}

}  // namespace
}  // namespace dunlin
