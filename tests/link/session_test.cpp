#include <link/link_pair.hpp>

#include <gmock/gmock.h>

namespace dunlin::link {
namespace {

using testing::ElementsAre;

std::vector<EventKind> kinds(Endpoint& end) {
    std::vector<EventKind> all;
    while (!end.events.empty()) all.push_back(end.events.pop().kind);
    return all;
}

TEST(Session, opens_after_each_side_has_echoed_the_others_nonce) {
    LinkPair pair;
    pair.heartbeats = false;
    pair.open();
    EXPECT_EQ(pair.a().link->peer_id(), NodeId{2});
    EXPECT_EQ(pair.b().link->peer_id(), NodeId{1});
    EXPECT_THAT(kinds(pair.a()), ElementsAre(EventKind::session_opened));
    EXPECT_EQ(pair.b().link->take_news(), kSessionOpened);
    EXPECT_EQ(pair.b().link->take_news(), 0);
}

TEST(Session, opens_when_both_sides_dial_at_once) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        LinkPair pair(seed, {.loss_percent = 30, .duplicate_percent = 30, .delay_max = milliseconds{30}});
        pair.b().link->dial(pair.now, LinkPair::kPath);
        pair.open();
        pair.run_for(seconds{1});
        ASSERT_TRUE(pair.a().publish(pair.now, "hello"));
        pair.run_for(seconds{20});
        EXPECT_EQ(pair.b().delivered.size(), 1U) << seed;
    }
}

TEST(Session, gives_up_on_a_silent_peer_and_dials_again) {
    LinkPair pair;
    pair.open();
    pair.cut = true;
    pair.run_for(milliseconds{3500});
    EXPECT_FALSE(pair.a().link->session_open());
    EXPECT_FALSE(pair.b().link->session_open());
    pair.cut = false;
    pair.run_for(milliseconds{2500});
    EXPECT_TRUE(pair.a().link->session_open());
    EXPECT_THAT(kinds(pair.a()), ElementsAre(EventKind::session_opened, EventKind::session_closed, EventKind::session_opened));
}

TEST(Session, a_pause_of_the_process_is_no_round_trip) {
    LinkPair pair;
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "1"));
    PathId path{};
    const auto packet = pair.a().send(pair.now, path);
    (void)pair.b().receive(pair.now, path, packet);
    pair.now += milliseconds{6};
    const auto ack = pair.b().send(pair.now, path);
    ASSERT_FALSE(ack.empty());
    // The process stops; its socket keeps the ack.
    pair.now += seconds{600};
    EXPECT_FALSE(pair.a().receive(pair.now, path, ack));
    EXPECT_FALSE(pair.a().link->session_open());
    EXPECT_LT(pair.a().link->rtt(), seconds{1});
    pair.run_for(seconds{10});
    ASSERT_TRUE(pair.a().link->session_open());
    EXPECT_EQ(pair.a().outcomes().size(), 1U);
    // What is lost later is repaired at once.
    ASSERT_TRUE(pair.a().publish(pair.now, "2"));
    ASSERT_FALSE(pair.a().send(pair.now, path).empty());
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 2));
}

TEST(Session, says_hello_at_most_every_few_milliseconds_and_at_least_every_two_seconds) {
    LinkPair pair;
    pair.cut = true;
    pair.dial();
    pair.run_for(seconds{60});
    EXPECT_GE(pair.a().counters.get(Counter::hellos_sent), 30U);
    EXPECT_LE(pair.a().counters.get(Counter::hellos_sent), 200U);
}

TEST(Session, goodbye_closes_both_ends_and_ends_the_peers_epoch) {
    LinkPair pair;
    pair.open();
    (void)pair.b().link->take_news();
    pair.a().link->close();
    pair.run_for(seconds{1});
    EXPECT_FALSE(pair.a().link->session_open());
    EXPECT_FALSE(pair.b().link->session_open());
    EXPECT_EQ(pair.b().link->take_news(), kSessionClosed | kPeerEpochEnded);
}

TEST(Session, every_packet_of_the_past_is_harmless) {
    LinkPair pair;
    pair.record = true;
    pair.open();
    for (int i = 1; i <= 20; ++i) ASSERT_TRUE(pair.a().publish(pair.now, std::to_string(i)));
    pair.run_for(seconds{1});
    const auto first_session = pair.recorded;
    pair.cut = true;
    pair.run_for(seconds{4});
    pair.cut = false;
    pair.run_until([&] { return pair.a().link->session_open() && pair.b().link->session_open(); });
    pair.run_for(seconds{1});
    (void)kinds(pair.a());
    (void)kinds(pair.b());
    pair.record = false;
    for (const auto& packet : first_session) {
        for (int times = 0; times < 3; ++times) (void)pair.b().receive(pair.now, LinkPair::kPath, packet);
        pair.run_for(milliseconds{10});
    }
    EXPECT_TRUE(kinds(pair.a()).empty());
    EXPECT_TRUE(kinds(pair.b()).empty());
    ASSERT_TRUE(pair.a().publish(pair.now, "21"));
    pair.run_for(seconds{1});
    EXPECT_EQ(payloads(pair.b()), numbers(1, 21));
    EXPECT_GT(pair.b().counters.get(Counter::packets_stale_session), 0U);
}

TEST(Session, packets_over_a_path_without_a_handshake_are_dropped) {
    LinkPair pair;
    pair.open();
    ASSERT_TRUE(pair.a().publish(pair.now, "x"));
    PathId path{};
    const auto packet = pair.a().send(pair.now, path);
    EXPECT_FALSE(pair.b().receive(pair.now, PathId{9}, packet));
    EXPECT_TRUE(pair.b().delivered.empty());
    EXPECT_TRUE(pair.b().receive(pair.now, path, packet));
    EXPECT_FALSE(pair.b().receive(pair.now, path, packet));
    EXPECT_EQ(pair.b().counters.get(Counter::packets_duplicate), 1U);
    EXPECT_EQ(pair.b().delivered.size(), 1U);
}

TEST(Session, a_lost_path_closes_it) {
    LinkPair pair;
    pair.open();
    pair.a().link->path_down(pair.now, LinkPair::kPath);
    EXPECT_FALSE(pair.a().link->session_open());
    pair.run_for(seconds{1});
    EXPECT_FALSE(pair.a().link->session_open());
}

// ---- epochs and instances -------------------------------------------------------------------------------------------

LinkSelf with_epoch(std::uint32_t epoch) {
    LinkSelf self;
    self.epoch = BootEpoch{epoch};
    return self;
}

TEST(SessionEpoch, a_process_that_restarted_without_memory_learns_which_epoch_to_take) {
    LinkPair pair;
    pair.open();
    pair.reset(0, LinkSelf{});
    pair.dial();
    pair.run_for(milliseconds{300});
    EXPECT_EQ(pair.a().link->epoch_refused(), BootEpoch{0});  // the process before it may still live
    pair.run_for(seconds{4});
    EXPECT_FALSE(pair.a().link->session_open());
    ASSERT_EQ(pair.a().link->epoch_refused(), BootEpoch{1});
    EXPECT_EQ(pair.a().counters.get(Counter::identity_conflicts), 0U);
    pair.a().self.epoch = BootEpoch{2};
    pair.a().link->restart(pair.now);
    EXPECT_EQ(pair.a().link->epoch_refused(), BootEpoch{0});
    (void)pair.b().link->take_news();
    pair.run_for(milliseconds{500});
    EXPECT_TRUE(pair.a().link->session_open());
    EXPECT_EQ(pair.b().link->peer_epoch(), BootEpoch{2});
    EXPECT_NE(pair.b().link->take_news() & kPeerEpochEnded, 0);
}

TEST(SessionEpoch, an_older_epoch_is_refused_however_it_tries) {
    LinkPair pair;
    pair.reset(0, with_epoch(5));
    pair.open();
    pair.reset(0, with_epoch(4));
    pair.dial();
    pair.run_for(seconds{4});
    EXPECT_FALSE(pair.a().link->session_open());
    EXPECT_EQ(pair.a().link->epoch_refused(), BootEpoch{5});
    EXPECT_GT(pair.b().counters.get(Counter::packets_stale_epoch), 0U);
}

// Another process with node 1's id, over a path of its own to node 2. Both live.
class TwoClaimants : public testing::Test {
  protected:
    static constexpr PathId kRivalPath{2};

    void start_rival(std::uint32_t epoch) {
        rival = std::make_unique<Endpoint>(NodeId{1}, 99, with_epoch(epoch));
        rival->link->dial(pair.now, kRivalPath);
    }
    // Everybody gives signs of life to whom he has a session with.
    void run_for(Duration duration) {
        for (const Instant end = pair.now + duration; pair.now < end; pair.now += milliseconds{100}) {
            for (int round = 0; round < 4; ++round) {
                tell_node_2(*rival);
                tell_node_2(pair.a());
                for (PathId to{};;) {
                    const auto bytes = pair.b().send(pair.now, to);
                    if (bytes.empty()) break;
                    (void)(to == kRivalPath ? *rival : pair.a()).receive(pair.now, to, bytes);
                }
            }
            for (Endpoint* end_point : {rival.get(), &pair.a()}) {
                const PathId path = end_point->link->session_path();
                if (auto bytes = end_point->heartbeat(pair.now); !bytes.empty()) (void)pair.b().receive(pair.now, path, bytes);
                end_point->link->on_timeout(pair.now);
            }
            if (auto bytes = pair.b().heartbeat(pair.now); !bytes.empty())
                (void)(pair.b().link->session_path() == kRivalPath ? *rival : pair.a())
                    .receive(pair.now, pair.b().link->session_path(), bytes);
            pair.b().link->on_timeout(pair.now);
        }
    }
    static std::uint64_t conflicts(const Endpoint& end_point) { return end_point.counters.get(Counter::identity_conflicts); }

    LinkPair pair;
    std::unique_ptr<Endpoint> rival;

  private:
    void tell_node_2(Endpoint& from) {
        for (PathId path{};;) {
            const auto bytes = from.send(pair.now, path);
            if (bytes.empty()) break;
            (void)pair.b().receive(pair.now, path, bytes);
        }
    }
};

TEST_F(TwoClaimants, the_second_never_displaces_the_first_and_reports_the_conflict_once) {
    pair.open();
    start_rival(1);
    run_for(seconds{10});
    EXPECT_TRUE(pair.a().link->session_open());
    EXPECT_FALSE(rival->link->session_open());
    EXPECT_EQ(rival->link->epoch_refused(), BootEpoch{0});  // it does not claim the next one
    EXPECT_EQ(conflicts(*rival), 1U);
    EXPECT_EQ(conflicts(pair.a()), 0U);
}

TEST_F(TwoClaimants, one_that_was_replaced_by_a_later_epoch_stays_out_and_reports_the_conflict_once) {
    pair.open();
    start_rival(2);
    run_for(seconds{10});
    EXPECT_EQ(pair.b().link->peer_epoch(), BootEpoch{2});
    EXPECT_FALSE(pair.a().link->session_open());
    EXPECT_EQ(pair.a().link->epoch_refused(), BootEpoch{0});
    EXPECT_EQ(conflicts(pair.a()), 1U);
    EXPECT_EQ(conflicts(*rival), 0U);
}

TEST_F(TwoClaimants, a_refusal_that_waited_while_the_process_was_stopped_tells_no_conflict) {
    pair.open();
    start_rival(1);
    run_for(seconds{1});
    EXPECT_FALSE(rival->link->session_open());
    PathId path{};
    std::vector<std::byte> hello;
    for (; hello.empty(); pair.now += milliseconds{100}) hello = rival->send(pair.now, path);
    ASSERT_TRUE(pair.b().receive(pair.now, path, hello));
    const auto refusal = pair.b().send(pair.now, path);
    ASSERT_FALSE(refusal.empty());
    pair.now += seconds{10};
    ASSERT_TRUE(rival->receive(pair.now, kRivalPath, refusal));
    EXPECT_EQ(conflicts(*rival), 0U);
}

TEST_F(TwoClaimants, a_voters_id_is_refused_to_another_journal_at_once_whatever_its_epoch) {
    pair.a().self.storage = pair.b().voter_storage = StorageId{71};
    pair.open();
    start_rival(9);
    rival->self.storage = StorageId{72};
    run_for(milliseconds{200});
    EXPECT_EQ(conflicts(*rival), 1U);
    EXPECT_GT(conflicts(pair.b()), 0U);
    run_for(seconds{10});
    EXPECT_TRUE(pair.a().link->session_open());
    EXPECT_EQ(pair.b().link->peer_epoch(), BootEpoch{1});
    EXPECT_FALSE(rival->link->session_open());
    EXPECT_EQ(conflicts(*rival), 1U);
}

TEST(SessionEpoch, no_hello_leaves_before_the_epoch_is_durable) {
    LinkPair pair;
    pair.a().self.epoch_gate = JournalSequence{3};
    pair.dial();
    pair.run_for(seconds{1});
    EXPECT_EQ(pair.a().counters.get(Counter::hellos_sent), 0U);
    pair.a().self.durable = JournalSequence{3};
    pair.run_for(seconds{1});
    EXPECT_TRUE(pair.a().link->session_open());
}

// ---- clusters -------------------------------------------------------------------------------------------------------

TEST(SessionCluster, another_name_or_another_incarnation_is_refused) {
    LinkPair pair;
    pair.a().self.cluster_name = "other";
    pair.dial();
    pair.run_for(seconds{1});
    EXPECT_FALSE(pair.a().link->session_open());
    EXPECT_GT(pair.b().counters.get(Counter::packets_foreign_cluster), 0U);

    LinkPair bound;
    bound.a().self.cluster = ClusterIncarnation{11};
    bound.b().self.cluster = ClusterIncarnation{12};
    bound.dial();
    bound.run_for(seconds{1});
    EXPECT_FALSE(bound.b().link->session_open());
}

TEST(SessionCluster, a_node_that_is_not_bound_learns_its_cluster_from_its_peer) {
    LinkPair pair;
    pair.b().self.cluster = ClusterIncarnation{12};
    pair.open();
    EXPECT_NE(pair.a().link->take_news() & kClusterLearnt, 0);
    EXPECT_EQ(pair.a().link->session_cluster(), ClusterIncarnation{12});
    EXPECT_EQ(pair.b().link->take_news() & kClusterLearnt, 0);
    pair.run_for(seconds{5});
    EXPECT_TRUE(pair.a().link->session_open());
}

TEST(Session, a_node_knows_its_own_hello) {
    LinkPair pair;
    pair.dial();
    PathId path{};
    pair.reset(1, LinkSelf{});
    Endpoint same(NodeId{1}, 5);
    same.link->dial(pair.now, LinkPair::kPath);
    const auto hello = same.send(pair.now, path);
    ASSERT_FALSE(hello.empty());
    (void)pair.a().receive(pair.now, path, hello);
    EXPECT_EQ(pair.a().hello_result, HelloResult::own_id);
}

TEST(Session, hellos_with_senseless_fields_are_ignored) {
    LinkPair pair;
    std::vector<std::byte> buffer(600);
    for (int field = 0; field < 5; ++field) {
        const wire::Hello hello(field == 0 ? 0U : 1U, 0, field == 1 ? 0U : 1U, 0, field == 2 ? 0U : 1U,
                                static_cast<std::uint16_t>(field == 3 ? 100 : 1200), static_cast<std::uint8_t>(field == 4 ? 2 : 1), 2, 0, 0,
                                0, 0);
        wire::PacketWriter writer(buffer);
        const std::string name = "test";
        ASSERT_TRUE(writer.record(wire::RecordType::hello, hello, std::as_bytes(std::span(name))));
        const std::size_t bytes = writer.finish({0, 0, 0, 0, 0, 1, 2, 1, 0, 0});
        (void)pair.b().receive(pair.now, LinkPair::kPath, std::span(buffer).first(bytes));
        EXPECT_EQ(pair.b().hello_result, field == 4 ? HelloResult::refused : HelloResult::ignored) << field;
    }
}

}  // namespace
}  // namespace dunlin::link
