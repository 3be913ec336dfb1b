#include "control_socket.hpp"
#include "hosted_node.hpp"
#include "line_keys.hpp"
#include "line_source.hpp"
#include "member_options.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"
#include "values.hpp"
#include "wait_notice.hpp"

#include <dunlin/bus/filter.hpp>

#include <dunlin_asio/boot_clock.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace dunlin_tool {
namespace {

constexpr int kLinesPerTurn = 512;  // then packets leave and outcomes are heard

struct PubArguments {
    MemberOptions member;
    std::string topic;
    std::string file;
    std::uint16_t subscribers = 1;
    std::string lifetime = "0s";
    std::string lane = "normal";
    std::optional<std::string> keyed;  // the name of the input
};

// What the command line says, as the node wants it.
struct PubTerms {
    dunlin::Duration lifetime{};
    dunlin::Lane lane = dunlin::Lane::normal;
};

// Publishes each line once the outbox has room for it, and leaves when the last outcome is in.
class Publisher {
  public:
    Publisher(const PubArguments& arguments, const PubTerms& terms)
        : arguments_(arguments), terms_(terms), use_(arguments.member.journal_use(std::nullopt)), host_(arguments.member.settings()) {
        if (arguments_.keyed) keys_.emplace(arguments_.topic, *arguments_.keyed);
        if (use_) use_->check(host_.made_journal());
        if (!arguments_.member.socket().empty()) socket_.emplace(host_, arguments_.member.socket());
        host_.on_event([this](dunlin::Instant, const dunlin::Event& event) { take_event(event); });
        host_.loop().on_turn([this](dunlin::Instant now) { publish_lines(now); });
    }

    [[nodiscard]] ExitCode run() {
        const ExitCode code = host_.run();
        for (const auto& [name, count] : dead_letters_) {
            std::fprintf(stderr, "dunlin: %llu dead letters: %s.\n", static_cast<unsigned long long>(count), name.c_str());
        }
        if (code != kDone) return code;
        if (!lines_ || !lines_->at_end()) {
            std::fprintf(stderr, "dunlin: stopped before the last line was published.\n");
            return kFailed;
        }
        return dead_letters_.empty() ? kDone : kFailed;
    }

  private:
    // The position in the file is known when the journal was read.
    void start() {
        lines_.emplace(host_.io(), arguments_.file, host_.node().publish_position(), kHostMember.message_bytes_max);
        if (use_) use_->note();
    }

    void take_event(const dunlin::Event& event) {
        if (event.kind == dunlin::EventKind::started) start();
        if (socket_) socket_->take_event(event);
        if (event.kind != dunlin::EventKind::outcome) return;
        ++outcomes_;
        if (event.outcome == dunlin::Outcome::acknowledged) return;
        std::string name(dunlin::to_string(event.outcome));
        if (event.effect == dunlin::Effect::unknown) name += ", effect unknown";
        ++dead_letters_[name];
    }

    void publish_lines(dunlin::Instant now) {
        if (!lines_) return;
        if (!enough_subscribers_) enough_subscribers_ = host_.node().subscriber_count(arguments_.topic) >= arguments_.subscribers;
        waits_for_subscribers_ = !enough_subscribers_;
        if (!enough_subscribers_) return;
        for (int i = 0; i < kLinesPerTurn; ++i) {
            const std::optional<std::string_view> line = lines_->peek();
            if (!line) return leave_when_settled();
            if (!publish(now, *line)) return;
            lines_->take();
        }
        host_.loop().wake();
    }

    // False: no room, or nobody listens any more: the line waits.
    bool publish(dunlin::Instant now, std::string_view line) {
        dunlin::bus::PublishOptions options;
        options.topic = arguments_.topic;
        options.payload = std::as_bytes(std::span(line));
        options.lifetime = terms_.lifetime;
        options.lane = terms_.lane;
        options.position = lines_->position_after();
        if (keys_) options.key = keys_->of(lines_->offset(), line);
        const dunlin::Status status = host_.node().publish(now, options).status();
        full_ = status == dunlin::Status::outbox_full || status == dunlin::Status::busy;
        switch (status) {
            case dunlin::Status::ok: return true;
            case dunlin::Status::outbox_full:
            case dunlin::Status::busy:
            case dunlin::Status::recovering:
            case dunlin::Status::shutting_down: return false;
            case dunlin::Status::no_subscriber: waits_for_subscribers_ = true; return false;
            default:
                throw ToolError(kFailed, "cannot publish to '" + arguments_.topic + "': " + std::string(dunlin::to_string(status)) + ".");
        }
    }

    void leave_when_settled() {
        if (!lines_->at_end() || host_.node().status({}).outbox_messages != 0) return;
        host_.loop().shutdown();
    }

    [[nodiscard]] std::string why_waiting() {
        if (!waits_for_subscribers_) return why_unsettled();
        if (std::string alone = why_alone(host_, "subscriber"); !alone.empty()) return alone;
        const std::uint16_t count = host_.node().subscriber_count(arguments_.topic);
        return (count == 0 ? "connected, but nobody subscribes to '" : "connected, but not enough subscribe to '") + arguments_.topic +
               "' (" + std::to_string(count) + " of " + std::to_string(arguments_.subscribers) + " subscribers)";
    }

    // Empty while outcomes come: it is slow then, but does not wait. Compares with the outcomes at the last call.
    [[nodiscard]] std::string why_unsettled() {
        const bool some_came = outcomes_ != outcomes_looked_at_;
        outcomes_looked_at_ = outcomes_;
        if (some_came || host_.node().status({}).outbox_messages == 0) return {};
        std::string gone;
        std::string idle;
        const dunlin::Instant now = dunlin_asio::boot_now();
        for (std::size_t i = 0; const auto peer = host_.node().peer(now, i); ++i) {
            const bool never_owed = peer->id == dunlin::NodeId{} || peer->voter || peer->left;
            if (peer->session_open ? peer->messages_unsettled == 0 : never_owed) continue;
            std::string& list = peer->session_open ? idle : gone;
            list += (list.empty() ? "node " : ", node ") + std::to_string(peer->id.value());
        }
        std::string reason = full_ ? "the outbox is full, and nothing was settled lately" : "not all is settled";
        if (!gone.empty()) reason += "; no session with " + gone;
        if (!idle.empty()) reason += "; connected, but not taking what was sent: " + idle;
        return reason;
    }

    PubArguments arguments_;
    PubTerms terms_;
    std::optional<JournalUse> use_;
    HostedNode host_;
    std::optional<ControlSocket> socket_;
    std::optional<LineSource> lines_;
    std::optional<LineKeys> keys_;
    std::map<std::string, std::uint64_t> dead_letters_;
    bool enough_subscribers_ = false;
    bool waits_for_subscribers_ = false;
    bool full_ = false;  // the last line found no room
    std::uint64_t outcomes_ = 0;
    std::uint64_t outcomes_looked_at_ = 0;
    WaitNotice notice_{host_.io(), [this] { return why_waiting(); }};
};

// Throws ToolError(kUsage), as the next.
dunlin::Duration read_lifetime(const PubArguments& arguments) {
    const std::optional<dunlin::Duration> lifetime = read_duration(arguments.lifetime);
    if (!lifetime) throw ToolError(kUsage, "--lifetime '" + arguments.lifetime + "' must be " + kDurationForm + ".");
    if (const dunlin::Duration longest = dunlin::Options{}.key_lifetime_max;
        arguments.keyed && (*lifetime == dunlin::Duration{} || *lifetime > longest)) {
        throw ToolError(kUsage, "--keyed needs a --lifetime, of at most " +
                                    std::to_string(std::chrono::duration_cast<std::chrono::minutes>(longest).count()) +
                                    "min: subscribers remember no key for longer.");
    }
    return *lifetime;
}

dunlin::Lane read_lane(const std::string& name) {
    if (name == "urgent") return dunlin::Lane::urgent;
    if (name == "normal") return dunlin::Lane::normal;
    if (name == "bulk") return dunlin::Lane::bulk;
    throw ToolError(kUsage, "--lane '" + name + "' is none of urgent, normal and bulk.");
}

ExitCode publish(const PubArguments& arguments) {
    if (!dunlin::bus::valid_topic(arguments.topic, kHostMember.topic_bytes_max)) {
        throw ToolError(kUsage, "'" + arguments.topic + "' is no topic: 1..128 bytes without '+' and '#'.");
    }
    return Publisher(arguments, {.lifetime = read_lifetime(arguments), .lane = read_lane(arguments.lane)}).run();
}

}  // namespace

void add_pub(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<PubArguments>();
    CLI::App* const command =
        app.add_subcommand("pub", "Publish lines, each as one message, until every subscriber has settled all of them");
    command->add_option("TOPIC", arguments->topic, "Topic, such as harbour/tide")->required();
    arguments->member.add_to(*command, true);
    command->add_option("--file", arguments->file,
                        "Read this file instead of standard input; with --journal a restart goes on where it was");
    command->add_option("--subscribers", arguments->subscribers, "Wait for this many subscribers before the first line")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command
        ->add_option("--lifetime", arguments->lifetime,
                     "A line that is not delivered by then is a dead letter: 250ms, 5s, 10min, 2h (default: no limit)")
        ->option_text("TIME");
    command
        ->add_option("--keyed", arguments->keyed,
                     "Give each line a key of NAME, its place and its text, so that input which is published again under the same NAME is "
                     "delivered once. Needs --lifetime")
        ->option_text("NAME");
    command->add_option("--lane", arguments->lane, "urgent, normal or bulk: a higher lane overtakes a lower one")
        ->option_text("LANE [normal]");
    command->footer(
        "--keyed is for input that is published again after a journal was lost, or from another machine. Subscribers know a key for a "
        "ninth longer than --lifetime (those with a journal over restarts too), and " +
        std::to_string(kHostSubscriber.explicit_keys) +
        " of them at a time: publish no more than that within a lifetime, or the rest ends as dead letters, expired.\n"
        "A journal is for one --file, which may grow; another one, or one that was written anew, is refused.\n"
        "One of the two sides names the other with --peer: voters do not forward. What it waits for, it says after three seconds.\n"
        "Exit status: 0 every line was acknowledged by every subscriber; 1 a dead letter, or a signal ended it earlier;\n"
        "2 wrong command line; 3 could not start (port in use, unusable journal).");
    command->callback([&action, arguments] { action = [arguments] { return publish(*arguments); }; });
}

}  // namespace dunlin_tool
