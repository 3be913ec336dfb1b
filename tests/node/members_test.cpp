#include "node_world.hpp"

#include <dunlin/node/presets.hpp>

namespace dunlin::test {
namespace {

using consensus::ChangeOp;

constexpr Limits kVoter = limits::small;
constexpr std::array<std::uint16_t, 3> kFounders{1, 2, 3};
constexpr std::array<std::uint16_t, 3> kJoining{2, 3, 4};
constexpr std::array<std::uint16_t, 4> kFour{1, 2, 3, 4};

// Voters 1, 2 and 3, each at the address that is its id, and disks for those who join later. Storages are 101, 102, ...
struct Members : testing::Test {
    Members() {
        std::array<ledger::MemberRow, 3> rows{};
        for (std::uint16_t i = 0; i < 3; ++i) {
            const std::string address = std::to_string(i + 1);
            rows[i] = ledger::voter_row(NodeId{static_cast<std::uint16_t>(i + 1)}, StorageId{101U + i}, bytes_of(address));
        }
        ledger::Bootstrap bootstrap;
        bootstrap.incarnation = ClusterIncarnation{5};
        bootstrap.limits = kVoter.ledger;
        bootstrap.voters = rows;
        disks[1] = NodeWorld::formatted_disk(1, kDiskBytes, kVoter.journal_buffer_bytes, bootstrap);
        for (const std::uint16_t id : kJoining) disks[id] = NodeWorld::formatted_disk(id, kDiskBytes, kVoter.journal_buffer_bytes);
        for (const std::uint16_t id : kFounders) start(id);
        world.run_for(seconds{3});
    }

    Host& start(std::uint16_t id) {
        return *(hosts[id] = &world.add<kVoter>(id, id == 1 ? std::vector<std::string>{} : std::vector<std::string>{"1"}, &disks[id]));
    }
    void stop(std::uint16_t id) {
        world.remove(id);
        hosts.erase(id);
    }
    Node& node(std::uint16_t id) { return *hosts.at(id)->node; }
    std::uint16_t leader() {
        for (const auto& [id, host] : hosts) {
            if (host->node->status(world.now).role == consensus::Role::leader) return id;
        }
        return 0;
    }
    // How the request ended at that node, at most its timeout later.
    Event result(std::uint16_t at, Result<RequestId> request) {
        EXPECT_TRUE(request.ok());
        for (int i = 0; i < 60; ++i) {
            for (const Event& event : hosts.at(at)->events) {
                if (event.kind == EventKind::request_done && event.request == request.value()) return event;
            }
            world.run_for(milliseconds{100});
        }
        ADD_FAILURE() << "no result";
        return {};
    }
    Status change(std::uint16_t at, ChangeOp op, std::uint16_t id, std::string address = {}) {
        if (op == ChangeOp::add_learner && address.empty()) address = std::to_string(id);
        const consensus::ConfigChange change{.storage = op == ChangeOp::add_learner ? id + 100U : 0U,
                                             .node = id,
                                             .op = static_cast<std::uint8_t>(op),
                                             .reserved0 = 0,
                                             .reserved1 = 0};
        return result(at, node(at).change_member(world.now, {change, bytes_of(address)})).status;
    }
    // What one node holds of another: 0 nothing, else MemberRow::flags.
    int flags(std::uint16_t at, std::uint16_t id) {
        for (std::size_t slot = 0; slot < kVotersMax; ++slot) {
            if (node(at).member(slot).node == id) return node(at).member(slot).flags;
        }
        return 0;
    }
    bool meets(std::uint16_t at, std::uint16_t id) {
        for (std::size_t i = 0; const auto peer = node(at).peer(world.now, i); ++i) {
            if (peer->id == NodeId{id}) return peer->session_open;
        }
        return false;
    }

    static constexpr std::size_t kDiskBytes = std::size_t{512} * 1024;
    NodeWorld world;
    std::map<std::uint16_t, Disk> disks;
    std::map<std::uint16_t, Host*> hosts;
};

TEST_F(Members, who_has_joined_learns_and_then_votes) {
    start(4);
    EXPECT_EQ(change(2, ChangeOp::add_learner, 4), Status::ok);
    world.run_for(seconds{1});
    for (const std::uint16_t at : kFour) EXPECT_EQ(flags(at, 4), ledger::kMemberLearner) << at;
    EXPECT_EQ(node(4).status(world.now).applied, node(leader()).status(world.now).applied);
    EXPECT_EQ(change(2, ChangeOp::promote, 4), Status::ok);
    world.run_for(seconds{1});
    for (const std::uint16_t at : kFour) EXPECT_EQ(flags(at, 4), ledger::kMemberVoter) << at;
    // Two of three would do, two of four do not.
    const std::uint16_t first = leader();
    stop(first);
    stop(first == 1 ? 2 : 1);
    world.run_for(seconds{5});
    EXPECT_EQ(leader(), 0);
    start(first);
    world.run_for(seconds{5});
    EXPECT_NE(leader(), 0);
}

TEST_F(Members, know_each_other_again_after_a_restart_of_all) {
    start(4);
    ASSERT_EQ(change(1, ChangeOp::add_learner, 4), Status::ok);
    ASSERT_EQ(change(1, ChangeOp::promote, 4), Status::ok);
    ASSERT_EQ(change(1, ChangeOp::demote, 3), Status::ok);
    world.run_for(seconds{1});
    for (const std::uint16_t id : kFour) stop(id);
    for (const std::uint16_t id : kFour) start(id);
    world.run_for(seconds{5});
    ASSERT_NE(leader(), 0);
    EXPECT_NE(leader(), 3);
    for (const std::uint16_t at : kFour) {
        EXPECT_EQ(flags(at, 4), ledger::kMemberVoter) << at;
        EXPECT_EQ(flags(at, 3), ledger::kMemberLearner) << at;
    }
}

TEST_F(Members, of_whom_one_was_never_added_is_sent_nothing_and_never_leads) {
    start(4);
    for (const std::uint16_t id : kFounders) stop(id);
    world.run_for(seconds{10});
    EXPECT_EQ(node(4).status(world.now).role, consensus::Role::follower);
    EXPECT_EQ(node(4).status(world.now).last_index, LogIndex{});
    EXPECT_EQ(flags(4, 1), 0);
}

TEST_F(Members, are_told_to_whoever_has_a_session) {
    hosts[9] = &world.add<limits::micro>(9, {"1"});
    start(4);
    world.run_for(seconds{2});
    ASSERT_TRUE(meets(9, 2));
    ASSERT_FALSE(meets(9, 4));
    ASSERT_EQ(change(2, ChangeOp::add_learner, 4), Status::ok);
    world.run_for(seconds{1});
    EXPECT_FALSE(meets(9, 4));
    ASSERT_EQ(change(2, ChangeOp::promote, 4), Status::ok);
    world.run_for(seconds{1});
    EXPECT_TRUE(meets(9, 4));
}

TEST_F(Members, that_were_removed_are_dialled_no_longer) {
    hosts[9] = &world.add<limits::micro>(9, {"1"});
    world.run_for(seconds{1});
    const std::uint16_t gone = leader() == 3 ? 2 : 3;
    ASSERT_EQ(change(1, ChangeOp::remove, gone), Status::ok);
    world.run_for(seconds{1});
    EXPECT_EQ(flags(1, gone), 0);
    stop(gone);
    world.run_for(seconds{20});
    const auto hellos = [this](std::uint16_t at) { return node(at).counters().get(Counter::hellos_sent); };
    const std::uint16_t other = gone == 3 ? 2 : 3;
    const std::array before{hellos(1), hellos(other), hellos(9)};
    world.run_for(seconds{60});
    EXPECT_EQ(before, (std::array{hellos(1), hellos(other), hellos(9)}));
}

// Who was away meanwhile hears of both changes at once.
TEST_F(Members, that_came_back_elsewhere_are_met_there) {
    hosts[9] = &world.add<limits::micro>(9, {"1"});
    start(4);
    ASSERT_EQ(change(2, ChangeOp::add_learner, 4), Status::ok);
    ASSERT_EQ(change(2, ChangeOp::promote, 4), Status::ok);
    world.run_for(seconds{1});
    ASSERT_TRUE(meets(9, 4));
    hosts[9]->deaf = true;
    ASSERT_EQ(change(2, ChangeOp::remove, 4), Status::ok);
    stop(4);
    hosts[4] = &world.add_at<kVoter>(5, NodeId{4}, {"1"}, &disks[4]);
    ASSERT_EQ(change(2, ChangeOp::add_learner, 4, "5"), Status::ok);
    ASSERT_EQ(change(2, ChangeOp::promote, 4), Status::ok);
    world.run_for(seconds{5});
    hosts[9]->deaf = false;
    world.run_for(seconds{5});
    EXPECT_TRUE(meets(9, 4));
}

TEST_F(Members, that_this_nodes_configuration_names_are_dialled_for_good) {
    start(4);
    ASSERT_EQ(change(1, ChangeOp::add_learner, 4), Status::ok);
    ASSERT_EQ(change(1, ChangeOp::promote, 4), Status::ok);
    stop(2);
    start(2);  // it knows the members from its journal, before it looks at its seeds
    world.run_for(seconds{3});
    ASSERT_EQ(change(3, ChangeOp::remove, 1), Status::ok);
    world.run_for(seconds{1});
    stop(1);
    world.run_for(seconds{20});
    const auto before = node(2).counters().get(Counter::hellos_sent);
    world.run_for(seconds{60});
    EXPECT_GT(node(2).counters().get(Counter::hellos_sent), before);
    EXPECT_NE(leader(), 0);
}

TEST_F(Members, count_only_on_the_storage_that_was_added) {
    ASSERT_EQ(change(1, ChangeOp::add_learner, 4), Status::ok);
    world.run_for(seconds{1});
    EXPECT_EQ(flags(2, 4), ledger::kMemberLearner);
    EXPECT_EQ(change(1, ChangeOp::promote, 4), Status::timed_out);  // nobody is there
    EXPECT_EQ(flags(2, 4), ledger::kMemberLearner);
}

TEST_F(Members, are_refused_with_a_status_that_says_which) {
    EXPECT_EQ(change(2, ChangeOp::promote, 4), Status::not_found);
    EXPECT_EQ(change(2, ChangeOp::promote, 1), Status::invalid_argument);
    EXPECT_EQ(change(2, ChangeOp::add_learner, 1), Status::invalid_argument);
    for (std::uint16_t id = 4; id <= kVotersMax; ++id) ASSERT_EQ(change(2, ChangeOp::add_learner, id), Status::ok);
    EXPECT_EQ(change(2, ChangeOp::add_learner, 8), Status::ledger_full);
    const std::uint16_t last = leader();
    for (std::uint16_t id = 1; id <= kVotersMax; ++id) {
        if (id == last) continue;
        EXPECT_EQ(change(last, ChangeOp::remove, id), Status::ok);
    }
    EXPECT_EQ(change(last, ChangeOp::remove, last), Status::invalid_argument);
    EXPECT_EQ(change(last, ChangeOp::demote, last), Status::invalid_argument);
}

TEST_F(Members, have_another_leader_when_asked) {
    for (const std::uint16_t to : kFounders) {
        EXPECT_EQ(result(2, node(2).transfer_leadership(world.now, NodeId{to})).status, Status::ok);
        EXPECT_EQ(leader(), to);
    }
    EXPECT_EQ(result(2, node(2).transfer_leadership(world.now, NodeId{9})).status, Status::not_found);
}

// The one who is removed hands on what it led, and whoever asked is answered by the next one.
TEST_F(Members, remove_their_leader) {
    const std::uint16_t first = leader();
    const std::uint16_t asked = first == 1 ? 2 : 1;
    EXPECT_EQ(change(asked, ChangeOp::remove, first), Status::ok);
    world.run_for(seconds{3});
    EXPECT_NE(leader(), first);
    EXPECT_NE(leader(), 0);
    EXPECT_EQ(flags(asked, first), 0);
}

}  // namespace
}  // namespace dunlin::test
