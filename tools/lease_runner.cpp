#include "lease_runner.hpp"

#include "hosted_node.hpp"
#include "leased_process.hpp"
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
#include <optional>
#include <string>

namespace dunlin_tool {
namespace {

HostSettings with_own_signals(HostSettings settings) {
    settings.stop_on_signals = false;  // the command ends first, then the lease
    return settings;
}

// Holds a lease for as long as a command runs, and ends the command in time where the lease ends first.
class LeaseRunner {
  public:
    LeaseRunner(const LeaseArguments& arguments, AfterLoss after_loss, dunlin::Duration ttl, std::optional<dunlin::Duration> wait)
        : arguments_(arguments),
          after_loss_(after_loss),
          ttl_(ttl),
          wait_(wait),
          margin_(std::clamp(ttl / 20, dunlin::Duration{dunlin::milliseconds{10}}, dunlin::Duration{dunlin::milliseconds{200}})),
          host_(with_own_signals(arguments.member.settings())),
          stop_signals_(host_.io()),
          child_signal_(host_.io(), SIGCHLD),
          passed_on_(host_.io(), SIGHUP, SIGUSR1, SIGUSR2) {
        host_.on_event([this](dunlin::Instant now, const dunlin::Event& event) { take_event(now, event); });
        host_.loop().on_turn([this](dunlin::Instant now) { check(now); });
        limit_wait();
        watch_child();
        pass_signals_on();
    }

    [[nodiscard]] int run() {
        const ExitCode code = host_.run();
        if (status_) return exit_status();
        if (code != kDone) return code;
        const int signal = stop_signals_.first() != 0 ? stop_signals_.first() : hangup_;
        std::fprintf(stderr, "dunlin: the lease '%s' was not acquired before %s: %s.\n", arguments_.name.c_str(),
                     signal != 0 ? "a signal came" : ("--wait " + arguments_.wait + " passed").c_str(), waited_for_.c_str());
        return signal != 0 ? ended_by_signal(signal) : kNotAcquired;
    }

  private:
    void take_event(dunlin::Instant now, const dunlin::Event& event) {
        switch (event.kind) {
            case dunlin::EventKind::started: started_ = true; return acquire(now);
            case dunlin::EventKind::lease_jeopardy: return end_command(SIGTERM, jeopardy_, "is in jeopardy: the command was asked to end");
            case dunlin::EventKind::lease_lost: return end_command(SIGKILL, killed_, "was lost: the command was killed");
            default: return;
        }
    }

    void acquire(dunlin::Instant now) {
        const auto handle = host_.node().acquire_lease(now, arguments_.name, ttl_);
        if (handle.status() == dunlin::Status::busy) return;  // it is being given back: asked again at the next turn
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
        if (handle_ == dunlin::ledger::LeaseHandle{} && started_ && !leaving_) acquire(now);
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
                const bool lost = jeopardy_ || killed_;
                if (lost && after_loss_ == AfterLoss::stand_again && signals_taken_ == 0 && process_.guarded()) {
                    stand_again(dunlin_asio::boot_now());
                } else {
                    leave();
                }
            }
            watch_child();
        });
    }

    // Each run has a token of its own, so that what the last one left on its way is fenced from the next.
    void stand_again(dunlin::Instant now) {
        std::fprintf(stderr, "dunlin: the command has ended: standing for the lease '%s' again.\n", arguments_.name.c_str());
        host_.node().release_lease(now, handle_);
        handle_ = {};
        status_.reset();
        jeopardy_ = killed_ = false;
        deadline_timer_.set(dunlin::kNever);
        limit_wait();
    }

    void limit_wait() {
        if (wait_) wait_timer_.set(dunlin_asio::boot_now() + *wait_);
    }

    // To the command. Before there is one, a hangup ends the wait, and the others have nobody to be for.
    void pass_signals_on() {
        passed_on_.async_wait([this](const std::error_code& error, int signal) {
            if (error) return;
            process_.send(signal);
            if (signal == SIGHUP && !process_.running() && !leaving_) {
                hangup_ = signal;
                leave();
            }
            pass_signals_on();
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
        return status_of_end(*status_);
    }

    LeaseArguments arguments_;
    AfterLoss after_loss_;
    dunlin::Duration ttl_;
    std::optional<dunlin::Duration> wait_;
    dunlin::Duration margin_;  // the command is gone so long before validity ends
    LeasedProcess process_;    // forks its guard before the node is there
    HostedNode host_;
    dunlin_asio::StopSignals stop_signals_;
    asio::signal_set child_signal_;
    asio::signal_set passed_on_;
    dunlin_asio::BootTimer deadline_timer_{host_.io()};
    dunlin_asio::BootTimer wait_timer_{host_.io(), [this] {
                                           if (!process_.running()) leave();
                                       }};
    dunlin::ledger::LeaseHandle handle_{};  // none: not asked for yet, or given back
    dunlin::Instant valid_until_{};
    std::optional<int> status_;
    std::size_t signals_taken_ = 0;
    int hangup_ = 0;          // SIGHUP, where it ended the wait
    std::string waited_for_;  // when it gave up
    bool started_ = false;
    bool jeopardy_ = false;
    bool killed_ = false;
    bool leaving_ = false;
    WaitNotice notice_{host_.io(), [this] { return why_waiting(); }};
};

}  // namespace

void LeaseArguments::add_to(CLI::App& app) {
    app.add_option("NAME", name, "Name of the lease, 1..32 bytes")->required();
    app.add_option("COMMAND", command, "Command and its arguments, after --")->required();
    member.add_to(app, false);
    app.add_option("--ttl", ttl,
                   "How soon others may have the lease where this holder vanishes, 100ms..1h; while COMMAND runs it is renewed")
        ->capture_default_str();
    app.add_option("--wait", wait, "Give up when the lease was not acquired by then (default: wait for ever)");
}

ExitCode run_while_held(const LeaseArguments& arguments, AfterLoss after_loss) {
    if (arguments.name.empty() || arguments.name.size() > dunlin::kLeaseNameBytesMax)
        throw ToolError(kUsage, "NAME must be 1..32 bytes long.");
    const std::optional<dunlin::Duration> ttl = read_duration(arguments.ttl);
    if (!ttl || *ttl < dunlin::ledger::kLeaseTtlMin || *ttl > dunlin::ledger::kLeaseTtlMax) {
        throw ToolError(kUsage, std::string("--ttl must be 100ms to 1h: ") + kDurationForm + ".");
    }
    std::optional<dunlin::Duration> wait;
    if (!arguments.wait.empty() && !(wait = read_duration(arguments.wait)))
        throw ToolError(kUsage, std::string("--wait must be ") + kDurationForm + ".");
    return static_cast<ExitCode>(LeaseRunner(arguments, after_loss, *ttl, wait).run());
}

}  // namespace dunlin_tool
