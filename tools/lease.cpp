#include "hosted_node.hpp"
#include "leased_process.hpp"
#include "member_options.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"
#include "values.hpp"
#include "wait_notice.hpp"

#include <dunlin/ledger/commands.hpp>
#include <dunlin/ledger/lease_holder.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>
#include <dunlin_asio/stop_signals.hpp>

#include <sys/wait.h>
#include <algorithm>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dunlin_tool {
namespace {

struct LeaseArguments {
    MemberOptions member;
    std::string name;
    std::string ttl = "5s";
    std::string wait;
    std::vector<std::string> command;
};

HostSettings with_own_signals(HostSettings settings) {
    settings.stop_on_signals = false;  // the command ends first, then the lease
    return settings;
}

// Holds a lease for as long as a command runs, and ends the command in time where the lease ends first.
class LeaseRunner {
  public:
    LeaseRunner(const LeaseArguments& arguments, dunlin::Duration ttl, std::optional<dunlin::Duration> wait)
        : arguments_(arguments),
          ttl_(ttl),
          margin_(std::clamp(ttl / 20, dunlin::Duration{dunlin::milliseconds{10}}, dunlin::Duration{dunlin::milliseconds{200}})),
          host_(with_own_signals(arguments.member.settings())),
          stop_signals_(host_.io()),
          child_signal_(host_.io(), SIGCHLD) {
        host_.on_event([this](dunlin::Instant now, const dunlin::Event& event) { take_event(now, event); });
        host_.loop().on_turn([this](dunlin::Instant now) { check(now); });
        if (wait) wait_timer_.set(dunlin_asio::boot_now() + *wait);
        watch_child();
    }

    [[nodiscard]] int run() {
        const ExitCode code = host_.run();
        if (status_) return exit_status();
        if (code != kDone) return code;
        const int signal = stop_signals_.first();
        std::fprintf(stderr, "dunlin: the lease '%s' was not acquired before %s: %s.\n", arguments_.name.c_str(),
                     signal != 0 ? "a signal came" : ("--wait " + arguments_.wait + " passed").c_str(), waited_for_.c_str());
        return signal != 0 ? ended_by_signal(signal) : kNotAcquired;
    }

  private:
    void take_event(dunlin::Instant now, const dunlin::Event& event) {
        switch (event.kind) {
            case dunlin::EventKind::started: return acquire(now);
            case dunlin::EventKind::lease_jeopardy: return end_command(SIGTERM, jeopardy_, "is in jeopardy: the command was asked to end");
            case dunlin::EventKind::lease_lost: return end_command(SIGKILL, killed_, "was lost: the command was killed");
            default: return;
        }
    }

    void acquire(dunlin::Instant now) {
        const auto handle = host_.node().acquire_lease(now, arguments_.name, ttl_);
        if (!handle.ok()) {
            throw ToolError(kFailed,
                            "cannot ask for the lease '" + arguments_.name + "': " + std::string(to_string(handle.status())) + ".");
        }
        handle_ = handle.value();
    }

    void end_command(int signal, bool& reason, const char* sentence) {
        if (!process_.running() || reason) return;
        reason = true;
        std::fprintf(stderr, "dunlin: the lease '%s' %s.\n", arguments_.name.c_str(), sentence);
        process_.send(signal);
    }

    // Once a turn: what the lease allows now.
    void check(dunlin::Instant now) {
        if (stop_signals_.count() != 0) on_stop_signal();
        const dunlin::ledger::LeaseView view = host_.node().lease(handle_);
        if (!process_.running()) {
            if (!status_ && !leaving_ && view.valid_for(now, 2 * margin_)) start(view);
            return;
        }
        if (view.valid_for(now, margin_)) {
            if (view.valid_until != valid_until_) extend(view);
        } else {
            end_command(SIGKILL, killed_, "ends: the command was killed");
        }
        if (!process_.guarded()) end_command(SIGKILL, killed_, "has lost its guard process: the command was killed");
    }

    void start(const dunlin::ledger::LeaseView& view) {
        wait_timer_.set(dunlin::kNever);
        process_.start(arguments_.command,
                       {{"DUNLIN_LEASE_NAME", arguments_.name}, {"DUNLIN_LEASE_TOKEN", std::to_string(view.token.value())}},
                       view.valid_until - margin_ / 2);
        extend(view);
    }

    void extend(const dunlin::ledger::LeaseView& view) {
        valid_until_ = view.valid_until;
        process_.set_deadline(valid_until_ - margin_ / 2);
        deadline_timer_.set(valid_until_ - margin_);
    }

    // The first: the command is asked to end, and its lease is kept for as long as it runs. Another: it is killed.
    void on_stop_signal() {
        const std::size_t count = stop_signals_.count();
        if (count == signals_taken_) return;
        process_.send(signals_taken_ == 0 && count == 1 ? SIGTERM : SIGKILL);
        signals_taken_ = count;
        if (!process_.running()) leave();
    }

    void watch_child() {
        child_signal_.async_wait([this](const std::error_code& error, int) {
            if (error) return;
            if (const std::optional<int> status = process_.take_end()) {
                status_ = status;
                if (WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL && dunlin_asio::boot_now() + margin_ >= valid_until_)
                    killed_ = true;
                leave();
            }
            watch_child();
        });
    }

    void leave() {
        if (!leaving_) waited_for_ = why_waiting();
        leaving_ = true;
        notice_.end();
        host_.loop().shutdown();
    }

    [[nodiscard]] std::string why_waiting() const {
        if (process_.running()) return {};
        if (std::string alone = why_alone(host_, "voter"); !alone.empty()) return alone;
        const dunlin::Status refused = host_.node().lease(handle_).refused;
        switch (refused) {
            case dunlin::Status::lease_held: return "the lease '" + arguments_.name + "' is held by another";
            case dunlin::Status::ok:
            case dunlin::Status::timed_out:
            case dunlin::Status::no_quorum: return "no leader is known: none that a majority of the voters follows has answered";
            default: return "the cluster cannot grant the lease '" + arguments_.name + "' now: " + std::string(to_string(refused));
        }
    }

    [[nodiscard]] int exit_status() const {
        if (killed_) return kKilled;
        if (jeopardy_) return kStoppedInTime;
        return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : ended_by_signal(WTERMSIG(*status_));
    }

    LeaseArguments arguments_;
    dunlin::Duration ttl_;
    dunlin::Duration margin_;  // the command is gone so long before validity ends
    LeasedProcess process_;    // forks its guard before the node is there
    HostedNode host_;
    dunlin_asio::StopSignals stop_signals_;
    asio::signal_set child_signal_;
    dunlin_asio::BootTimer deadline_timer_{host_.io()};
    dunlin_asio::BootTimer wait_timer_{host_.io(), [this] {
                                           if (!process_.running()) leave();
                                       }};
    dunlin::ledger::LeaseHandle handle_{};
    dunlin::Instant valid_until_{};
    std::optional<int> status_;
    std::size_t signals_taken_ = 0;
    std::string waited_for_;  // when it gave up
    bool jeopardy_ = false;
    bool killed_ = false;
    bool leaving_ = false;
    WaitNotice notice_{host_.io(), [this] { return why_waiting(); }};
};

ExitCode acquire(const LeaseArguments& arguments) {
    if (arguments.name.empty() || arguments.name.size() > dunlin::kLeaseNameBytesMax)
        throw ToolError(kUsage, "NAME must be 1..32 bytes long.");
    const std::optional<dunlin::Duration> ttl = read_duration(arguments.ttl);
    if (!ttl || *ttl < dunlin::ledger::kLeaseTtlMin || *ttl > dunlin::ledger::kLeaseTtlMax) {
        throw ToolError(kUsage, std::string("--ttl must be 100ms to 1h: ") + kDurationForm + ".");
    }
    std::optional<dunlin::Duration> wait;
    if (!arguments.wait.empty() && !(wait = read_duration(arguments.wait)))
        throw ToolError(kUsage, std::string("--wait must be ") + kDurationForm + ".");
    return static_cast<ExitCode>(LeaseRunner(arguments, *ttl, wait).run());
}

}  // namespace

void add_lease(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<LeaseArguments>();
    CLI::App* const lease = app.add_subcommand("lease", "Do something while, in the whole cluster, nobody else does");
    lease->require_subcommand(1);
    CLI::App* const command = lease->add_subcommand("acquire", "Run COMMAND while the lease NAME is held");
    command->add_option("NAME", arguments->name, "Name of the lease, 1..32 bytes")->required();
    command->add_option("COMMAND", arguments->command, "Command and its arguments, after --")->required();
    arguments->member.add_to(*command, false);
    command
        ->add_option("--ttl", arguments->ttl,
                     "How soon others may have the lease where this holder vanishes, 100ms..1h; while COMMAND runs it is renewed")
        ->capture_default_str();
    command->add_option("--wait", arguments->wait, "Give up when the lease was not acquired by then (default: wait for ever)");
    command->footer(
        "COMMAND finds the lease's name and fencing token in DUNLIN_LEASE_NAME and DUNLIN_LEASE_TOKEN, and runs in a process group of its\n"
        "own. When half of the lease's validity has gone without a renewal, the group gets SIGTERM; before validity ends, SIGKILL; it\n"
        "never outlives dunlin. SIGTERM to dunlin is passed on, and the lease is kept until COMMAND has ended.\n"
        "What it waits for, it says after three seconds.\n"
        "Exit status: COMMAND's own (128 + N where signal N ended it), or: 120 it ended after SIGTERM, sent because of the lease;\n"
        "121 it was killed because of the lease; 122 --wait passed without the lease; 128 + N signal N came before the lease;\n"
        "1 another process has this node's id, or it failed otherwise; 2 wrong command line; 3 could not start (port in use).");
    command->callback([&action, arguments] { action = [arguments] { return acquire(*arguments); }; });
}

}  // namespace dunlin_tool
