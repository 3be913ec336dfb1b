#include <link/shared_inbox.hpp>

#include <cstring>

namespace dunlin::link {
namespace {

// Room for two longest messages and a bit: the reserve is one of them.
constexpr Limits kTight{.outbox_bytes = 16 * 1024, .inbox_bytes = 9 * 1024, .inbox_messages = 6, .message_bytes_max = 4096};
constexpr std::uint32_t kFragments = 12;  // of a longest message
static_assert(fragments_of(kTight.message_bytes_max) == kFragments);

// Eight publishers of longest messages, one inbox that they cannot share. Each sends fragment after fragment, in an order and
// with losses that chance decides, and again whatever was not taken.
struct FragmentInbox : SharedInbox<kTight, 8> {
    static constexpr std::uint64_t kMessages = 20;
    Random random{3};

    static std::string payload_of(std::size_t publisher, std::uint64_t message) {
        std::string all(kTight.message_bytes_max, ' ');
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>('a' + (publisher * 5 + message + i + i / 30) % 26);
        return all;
    }
    // One fragment of the publisher's message number `message`, from 0.
    bool send(std::size_t publisher, std::uint64_t message, std::uint32_t index, SubscriptionId to) {
        const std::string bytes = payload_of(publisher, message).substr(index * kFragmentBytes, kFragmentBytes);
        const wire::MessageHead head(static_cast<std::uint16_t>(bytes.size()), alias_of(to), 0, 0,
                                     static_cast<std::uint8_t>(wire::MessageFlag::fragment));
        const wire::FragmentBlock block(kTight.message_bytes_max, static_cast<std::uint16_t>(index));
        std::vector<std::byte> out(sizeof(head) + sizeof(block) + (bytes.size() + 3) / 4 * 4);
        std::memcpy(out.data(), &head, sizeof(head));
        std::memcpy(out.data() + sizeof(head), &block, sizeof(block));
        std::memcpy(out.data() + sizeof(head) + sizeof(block), bytes.data(), bytes.size());
        return give(publisher, 1 + message * kFragments + index, out);
    }
    static SubscriptionId to(std::uint64_t message) { return message % 3 == 0 ? kFast : kSlow; }
    [[nodiscard]] std::uint64_t settled(std::size_t publisher) const {
        return lanes[publisher].settlements().live().cumulative().value() / kFragments;
    }
    // Sends some of what is not settled, two messages of each publisher at most, and loses a third of it.
    void send_some(std::size_t publisher) {
        const std::uint64_t oldest = settled(publisher);
        for (int i = 0; i < 8; ++i) {
            const std::uint64_t message = oldest + random.below(2);
            const auto index = static_cast<std::uint32_t>(random.below(kFragments));
            if (message < kMessages && random.below(3) != 0) (void)send(publisher, message, index, to(message));
        }
    }
    [[nodiscard]] bool all_done() const {
        for (std::size_t i = 0; i < kPublishers; ++i) {
            if (settled(i) < kMessages) return false;
        }
        return true;
    }
    void expect_all_whole() const {
        std::map<std::string, int> times;
        for (const Delivered& message : end.delivered) ++times[message.payload];
        EXPECT_EQ(end.inbox.used(), 0U);
        for (std::size_t i = 0; i < kPublishers; ++i) {
            for (std::uint64_t m = 0; m < kMessages; ++m) EXPECT_GE(times[payload_of(i, m)], 1) << i << " " << m;
        }
    }
};

TEST_F(FragmentInbox, many_publishers_of_longest_messages_get_them_through_a_small_inbox_under_loss) {
    for (int round = 0; round < 20'000 && !all_done(); ++round) send_some(static_cast<std::size_t>(random.below(kPublishers)));
    EXPECT_TRUE(all_done());
    expect_all_whole();
    EXPECT_GT(end.counters.get(Counter::inbox_full_drops), 100U);
}

TEST_F(FragmentInbox, and_also_where_a_handler_keeps_what_it_gets) {
    std::vector<std::tuple<std::size_t, Sequence, std::uint16_t>> kept;
    end.handler = [&](const InboundMessage& message) {
        if (message.subscription == kFast) return Disposition::accepted;
        kept.emplace_back(message.peer.value(), message.sequence, message.stream_tag);
        return Disposition::pending;
    };
    for (int round = 0; round < 40'000 && !all_done(); ++round) {
        send_some(static_cast<std::size_t>(random.below(kPublishers)));
        if (round % 40 != 0 || kept.empty()) continue;
        const auto [peer, sequence, tag] = kept.front();
        kept.erase(kept.begin());
        EXPECT_EQ(lanes[peer].complete(now, sequence, tag, Disposition::accepted), Status::ok);
    }
    EXPECT_TRUE(all_done());
    expect_all_whole();
}

TEST_F(FragmentInbox, a_publisher_that_falls_silent_in_the_midst_holds_the_others_up_until_its_session_ends) {
    EXPECT_TRUE(send(0, 0, 3, kFast));
    EXPECT_TRUE(send(1, 0, 3, kFast));
    bool refused = false;
    for (std::size_t i = 2; i < kPublishers; ++i) refused = !send(i, 0, 0, kFast) || refused;
    EXPECT_TRUE(refused);
    for (std::uint32_t index = 0; index < kFragments; ++index) EXPECT_TRUE(send(1, 0, index, kFast));
    EXPECT_EQ(settled(1), 1U);
    lanes[0].session_closed();
    for (std::size_t i = 2; i < kPublishers; ++i) {
        for (std::uint32_t index = 0; index < kFragments; ++index) EXPECT_TRUE(send(i, 0, index, kFast));
        EXPECT_EQ(settled(i), 1U);
    }
    EXPECT_EQ(end.inbox.used(), 0U);
}

TEST_F(FragmentInbox, unfinished_messages_behind_gaps_never_stop_what_closes_the_gaps) {
    for (std::size_t i = 0; i < kPublishers; ++i) {
        for (std::uint64_t message = 1; message < 4; ++message) (void)send(i, message, 0, kFast);
    }
    for (std::size_t i = 0; i < kPublishers; ++i) {
        for (std::uint32_t index = 0; index < kFragments; ++index) EXPECT_TRUE(send(i, 0, kFragments - 1 - index, kFast)) << i;
        EXPECT_EQ(settled(i), 1U);
    }
}

}  // namespace
}  // namespace dunlin::link
