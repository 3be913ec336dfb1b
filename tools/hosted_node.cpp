#include "hosted_node.hpp"

#include "journal_file.hpp"
#include "tool_error.hpp"

#include <dunlin/node/node_memory.hpp>

#include <dunlin_asio/entropy.hpp>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace dunlin_tool {
namespace {

// nullptr: the journal is too small for such a node.
template <dunlin::Limits L>
dunlin::Node* place(const dunlin::Options& options, std::shared_ptr<void>& memory) {
    if (options.journal_bytes != 0 && options.journal_bytes < dunlin::journal_device_bytes_min<L>()) return nullptr;
    auto node_memory = std::make_shared_for_overwrite<dunlin::NodeMemory<L>>();  // emplace() writes what a node needs
    dunlin::Node* node = &node_memory->emplace(options);
    memory = std::move(node_memory);
    return node;
}

dunlin::Node* place(NodeKind kind, const dunlin::Options& options, std::shared_ptr<void>& memory) {
    switch (kind) {
        case NodeKind::voter_small: return place<host_voter(dunlin::limits::small.ledger)>(options, memory);
        case NodeKind::voter_min: return place<host_voter(dunlin::limits::voter_min.ledger)>(options, memory);
        case NodeKind::subscriber: return place<kHostSubscriber>(options, memory);
        case NodeKind::member: break;
    }
    return place<kHostMember>(options, memory);
}

}  // namespace

HostedNode::HostedNode(const HostSettings& settings) : settings_(settings), seeds_(settings_.seeds.begin(), settings_.seeds.end()) {
    dunlin::Options options = node_options();
    std::string_view reason;
    if (dunlin::validate(options, reason) != dunlin::Status::ok) throw ToolError(kUsage, std::string(reason) + ".");
    dunlin_asio::UdpOptions udp;
    udp.bind = settings_.listen;
    udp.loss_ppm = settings_.loss_ppm;
    udp.loss_seed = dunlin_asio::random_nonzero_u64();
    udp_.emplace(io_, udp);
    if (!settings_.journal.empty()) {
        std::error_code unusable;  // opening it says what is wrong
        if (settings_.make_journal && !std::filesystem::exists(settings_.journal, unusable) && !unusable) {
            make_journal(settings_.journal, kMemberJournalBytes, fresh_plan(settings_.id, settings_.cluster));
            made_journal_ = true;
        }
        journal_.emplace(
            io_, dunlin_asio::FileDeviceOptions{.path = settings_.journal, .mode = dunlin_asio::FileDeviceOptions::Mode::open_existing});
        options.journal_bytes = journal_->bytes();
    }
    node_ = place(settings_.kind, options, memory_);
    if (node_ == nullptr) throw ToolError(kCannotStart, why_journal_failed(dunlin::Status::device_full));
    dunlin_asio::HostLoopOptions loop;
    loop.stop_on_signals = settings_.stop_on_signals;
    loop_.emplace(io_, *node_, *udp_, journal(), loop);
    loop_->on_event([this](dunlin::Instant now, const dunlin::Event& event) { take_event(now, event); });
}

std::string HostedNode::why_journal_failed(dunlin::Status status) const {
    const std::string node = "node " + std::to_string(settings_.id) + " of cluster '" + settings_.cluster + "'";
    return dunlin_tool::why_journal_failed(settings_.journal, node, status, journal_ ? journal_->failure() : std::nullopt);
}

dunlin::Options HostedNode::node_options() const {
    dunlin::Options options = settings_.timing;
    options.id = dunlin::NodeId{settings_.id};
    options.cluster = settings_.cluster;
    options.seeds = seeds_;
    options.instance = dunlin::InstanceId{dunlin_asio::random_nonzero_u64()};
    options.seed = dunlin_asio::random_nonzero_u64();
    return options;
}

void HostedNode::take_event(dunlin::Instant now, const dunlin::Event& event) {
    if (event.kind == dunlin::EventKind::started) started_ = true;
    if (event.kind == dunlin::EventKind::identity_conflict && settings_.stop_on_conflict) {
        conflict_told_by_ = event.node;
        loop_->stop();  // nobody talks to it: there is nothing to drain
    }
    if (on_event_) on_event_(now, event);
}

ExitCode HostedNode::run() {
    using Ending = dunlin_asio::HostLoop::Ending;
    const Ending ending = loop_->run();
    if (conflict_told_by_ != dunlin::NodeId{}) {
        std::fprintf(stderr, "dunlin: another live process uses node id %u (or it is a voter's), says node %u; choose another --id.\n",
                     static_cast<unsigned>(settings_.id), static_cast<unsigned>(conflict_told_by_.value()));
        return kFailed;
    }
    const dunlin::Status failure = node_->failure();
    if (failure != dunlin::Status::ok && failure != dunlin::Status::shutting_down) {
        std::fprintf(stderr, "dunlin: %s\n", why_journal_failed(failure).c_str());
        return started_ ? kFailed : kCannotStart;
    }
    if (ending == Ending::drain_limit) std::fprintf(stderr, "dunlin: stopped before everything was settled: the drain limit passed.\n");
    if (ending == Ending::stopped) std::fprintf(stderr, "dunlin: stopped at once by a second signal.\n");
    return ending == Ending::drained ? kDone : kFailed;
}

}  // namespace dunlin_tool
