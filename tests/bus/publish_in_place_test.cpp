#include "durable_outbox.hpp"

namespace dunlin::bus {
namespace {

using test::DurableOutbox;
using test::kShortly;
using test::Listener;
using test::World;

// A payload of `bytes` bytes, each the low byte of its place, that is never there as a whole.
struct Counting {
    std::vector<std::size_t> places{};
    void operator()(std::span<std::byte> piece, std::size_t offset) {
        places.push_back(offset);
        for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<std::byte>(offset + i);
    }
};
std::string counted(std::size_t bytes) {
    std::string text(bytes, ' ');
    for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i);
    return text;
}

class PublishInPlace : public DurableOutbox {
  protected:
    Result<Published> publish_counted(std::size_t bytes, PublishOptions options = {}) {
        options.topic = "t";
        return world[1].bus.publish_in_place(world.now, options, bytes, link::PayloadWriter::of(counting));
    }
    Counting counting{};
};

TEST_F(PublishInPlace, writes_the_payload_where_it_is_kept) {
    ASSERT_TRUE(publish_counted(200).ok());
    EXPECT_EQ(counting.places, std::vector<std::size_t>{0});
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"t=" + counted(200)});
}

TEST_F(PublishInPlace, goes_on_behind_the_blocks_of_the_message) {
    PublishOptions options;
    options.lifetime = seconds{60};
    options.key = IdempotencyKey{1, 2};
    options.fence = PublishFence{"crane", Token{3}};
    ASSERT_TRUE(publish_counted(100, options).ok());
    EXPECT_EQ(counting.places, std::vector<std::size_t>{0});
    world.run_for(kShortly);
    EXPECT_EQ(listener.heard, std::vector<std::string>{"t=" + counted(100)});
    EXPECT_EQ(listener.messages.at(0).token, Token{3});
}

TEST_F(PublishInPlace, is_in_the_journal_as_any_other) {
    world.loss_percent = 100;
    ASSERT_TRUE(publish_counted(200).ok());
    world.settle();
    restart_publisher();
    world.loss_percent = 0;
    world.run_for(seconds{10});
    EXPECT_EQ(listener.heard, std::vector<std::string>{"t=" + counted(200)});
}

TEST_F(PublishInPlace, writes_nothing_of_what_is_refused) {
    EXPECT_EQ(publish_counted(test::kLimits.message_bytes_max + std::size_t{1}).status(), Status::too_large);
    EXPECT_EQ(world[1].bus.publish_in_place(world.now, {.topic = "a/+"}, 1, link::PayloadWriter::of(counting)).status(),
              Status::invalid_topic);
    EXPECT_TRUE(counting.places.empty());
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
    ASSERT_TRUE(publish_counted(0).ok());
    EXPECT_TRUE(counting.places.empty());
}

TEST_F(PublishInPlace, keeps_no_bytes_where_the_deliveries_do_not_suffice) {
    world[1].auto_poll = false;
    world.loss_percent = 100;
    while (publish_counted(1).ok()) {}
    const std::size_t free = world[1].outbox.free_bytes();
    EXPECT_EQ(publish_counted(1).status(), Status::outbox_full);
    EXPECT_EQ(world[1].outbox.free_bytes(), free);
}

// ---- Who can be reached -----------------------------------------------------------------------------------------------

TEST_F(DurableOutbox, says_how_many_subscribers_have_a_session_now) {
    Listener other;
    world.start(3);
    ASSERT_TRUE(world[3].bus.subscribe("t", other.handler()).ok());
    world.run_for(seconds{2});
    const Published both = publish("1").value();
    EXPECT_EQ(both.subscribers, 2U);
    EXPECT_EQ(both.reachable, 2U);
    world.kill(2);
    world.run_for(seconds{5});
    const Published one = publish("2").value();
    EXPECT_EQ(one.subscribers, 2U);
    EXPECT_EQ(one.reachable, 1U);
    start_subscriber();  // durable: the message waits for it
    world.run_for(seconds{10});
    EXPECT_EQ(listener.heard, (std::vector<std::string>{"t=1", "t=2"}));
}

TEST_F(DurableOutbox, refuses_what_would_wait_for_a_subscriber_where_that_is_not_wanted) {
    const auto only_if_reachable = [this] {
        return world[1].bus.publish(world.now, {.topic = "t", .payload = test::bytes_of("x"), .only_if_reachable = true}).status();
    };
    EXPECT_EQ(only_if_reachable(), Status::ok);
    world.run_for(kShortly);
    world.kill(2);
    world.run_for(seconds{5});
    EXPECT_EQ(only_if_reachable(), Status::peer_unreachable);
    EXPECT_EQ(world[1].outbox.messages_used(), 0U);
    start_subscriber();
    world.run_for(seconds{5});
    EXPECT_EQ(only_if_reachable(), Status::ok);
}

}  // namespace
}  // namespace dunlin::bus
