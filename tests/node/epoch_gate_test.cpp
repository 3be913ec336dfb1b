// What a node has said of itself, its epoch and its cluster, it still knows after a power loss.
#include "journal/memory_device.hpp"
#include "node/node_world.hpp"

namespace dunlin {
namespace {

using test::NodeWorld;

// Node 1 with a journal and in no cluster yet, whose disk goes one operation at a time. The test plays node 2, which it dials.
class EpochGate : public testing::Test {
  protected:
    EpochGate() {
        device.overwrite(0, NodeWorld::formatted_disk(1, device.size(), limits::small.journal_buffer_bytes));
        boot();
    }

    void boot() {
        node =
            &memory.emplace({.id = NodeId{1}, .cluster = "c", .seeds = seeds, .instance = InstanceId{7}, .journal_bytes = device.size()});
        EXPECT_EQ(node->start(now), Status::ok);
    }
    void lose_power_and_boot() {
        device.power_loss_keeping({});
        boot();
    }
    bool step_disk() {
        const auto operation = node->poll_journal();
        if (!operation) return false;
        const Status status = device.perform(*operation);
        node->on_journal(now, operation->id, status, device.bytes_read(*operation));
        return true;
    }
    // As soon as the disk lets it.
    BootEpoch started_as() {
        for (bool more = true; more; more = step_disk()) {
            while (const auto event = node->poll_event()) {
                if (event->kind == EventKind::started) return node->status(now).epoch;
            }
        }
        return {};
    }
    // What it sends within a second, though the disk stands still.
    std::optional<wire::PacketHeader> send() {
        now += seconds{1};
        node->on_timeout(now);
        if (const auto dial = node->poll_connect()) node->on_path(now, kPath, {.state = PathState::up, .dial = dial->id});
        const auto sent = node->poll_transmit(now, buffer);
        if (!sent) return std::nullopt;
        auto reader = wire::PacketReader::open(std::span(buffer).first(sent->bytes), counters);
        if (wire::Record record; reader && reader->next(record) && record.type == wire::RecordType::hello)
            nonce = record.as<wire::Hello>().nonce();
        return reader->header();
    }
    // As soon as the disk lets it.
    std::optional<wire::PacketHeader> sent_at_last() {
        auto packet = send();
        while (!packet && step_disk()) packet = send();
        return packet;
    }
    template <class S>
    void answer(std::uint64_t cluster, wire::RecordType type, const S& record, std::string_view bytes = {}, std::uint64_t session = 0) {
        wire::PacketWriter writer(buffer);
        ASSERT_TRUE(writer.record(type, record, test::bytes_of(bytes)));
        const std::size_t length = writer.finish({wire::kMagic, wire::kVersion, 0, 0, cluster, 2, 1, 1, session, 1});
        node->on_datagram(now, kPath, {}, std::span(buffer).first(length));
    }

    wire::Hello hello() const { return {77, nonce, 8, 102, 9, 1472, wire::kVersion, wire::kVersion, 0, 0, 0, 0}; }

    static constexpr PathId kPath{9};
    const std::array<std::string_view, 1> seeds{"9"};
    Instant now{seconds{1000}};
    journal::test::MemoryDevice device{std::size_t{512} * 1024};
    NodeMemory<limits::small> memory;
    Node* node = nullptr;
    Counters counters;
    std::array<std::byte, 1472> buffer{};
    std::uint64_t nonce = 0;  // of its last hello
};

TEST_F(EpochGate, a_node_starts_under_an_epoch_only_when_that_is_durable) {
    const BootEpoch first = started_as();
    ASSERT_NE(first, BootEpoch{});
    lose_power_and_boot();
    EXPECT_GT(started_as(), first);
}

TEST_F(EpochGate, a_node_that_was_told_of_a_later_epoch_speaks_under_the_next_only_when_that_is_durable) {
    ASSERT_NE(started_as(), BootEpoch{});
    ASSERT_TRUE(sent_at_last().has_value());
    answer(0, wire::RecordType::hello_refused,
           wire::HelloRefused(nonce, 41, static_cast<std::uint8_t>(wire::RefuseReason::stale_epoch), 0, 0));
    const auto packet = sent_at_last();
    ASSERT_TRUE(packet.has_value());
    ASSERT_EQ(packet->epoch(), 42U);
    lose_power_and_boot();
    EXPECT_GT(started_as(), BootEpoch{42});
}

TEST_F(EpochGate, a_node_speaks_as_of_a_cluster_only_when_it_is_bound_to_it_for_good) {
    ASSERT_NE(started_as(), BootEpoch{});
    ASSERT_TRUE(sent_at_last().has_value());
    answer(5, wire::RecordType::hello, hello(), "c");
    const auto packet = sent_at_last();
    ASSERT_TRUE(packet.has_value());
    ASSERT_EQ(packet->cluster(), 5U);
    lose_power_and_boot();
    ASSERT_NE(started_as(), BootEpoch{});
    EXPECT_EQ(node->status(now).cluster, ClusterIncarnation{5});
}

TEST_F(EpochGate, a_voter_hears_no_leader_in_a_session_without_a_cluster) {
    ASSERT_NE(started_as(), BootEpoch{});
    ASSERT_TRUE(sent_at_last().has_value());
    answer(0, wire::RecordType::hello, hello(), "c");
    ASSERT_EQ(node->status(now).sessions_open, 1U);
    answer(0, wire::RecordType::append, wire::Append(5, 0, 0, 0, 0, 1, 0, 0, 0, 0), {}, nonce);
    EXPECT_EQ(node->counters().get(Counter::appends_received), 0U);
    EXPECT_EQ(node->status(now).term, Term{0});
}

}  // namespace
}  // namespace dunlin
