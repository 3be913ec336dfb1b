#include "control_socket.hpp"
#include "hosted_node.hpp"
#include "member_options.hpp"
#include "output_file.hpp"
#include "subcommands.hpp"
#include "tool_error.hpp"
#include "values.hpp"
#include "wait_notice.hpp"

#include <dunlin/bus/filter.hpp>
#include <dunlin/core/checksum.hpp>

#include <dunlin_asio/boot_clock.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace dunlin_tool {
namespace {

struct SubArguments {
    MemberOptions member;
    std::string filter;
    std::string file;
    std::string count;  // empty: no end
};

// The same filter is the same durable subscription after every restart.
std::uint32_t durable_id(std::string_view filter) {
    const auto id = static_cast<std::uint32_t>(dunlin::fnv1a64(filter)) & dunlin::kDurableIdMax;
    return id == 0 ? 1 : id;
}

// Before the journal is made: one that is new knows nothing of what the file has, and would have it cut off. Throws ToolError.
void check_output_of_new_journal(const std::string& journal, const std::string& file) {
    std::error_code unusable;  // opening them says what is wrong
    if (journal.empty() || file.empty() || std::filesystem::exists(journal, unusable) || unusable) return;
    const std::filesystem::file_status found = std::filesystem::status(file, unusable);
    if (!std::filesystem::is_regular_file(found) || std::filesystem::file_size(file, unusable) == 0 || unusable) return;
    throw ToolError(kCannotStart,
                    "'" + file + "' has content, but the journal '" + journal +
                        "' that should know how much of it is kept does not exist: use the one that wrote it, or another --file.");
}

HostSettings settings_of(const SubArguments& arguments) {
    HostSettings settings = arguments.member.settings();
    settings.kind = NodeKind::subscriber;
    check_output_of_new_journal(settings.journal, arguments.file);
    return settings;
}

// Writes each message as a line. With a journal and a file, the length of the file is stored together with the watermark of
// the messages in it, and the file is on disk before that is: a restart cuts off what was written beyond, and gets it again.
class Subscriber {
  public:
    // `count`: lines, after which it ends; 0: no end.
    Subscriber(const SubArguments& arguments, std::uint64_t count)
        : arguments_(arguments),
          count_(count),
          use_(arguments.member.journal_use(JournalUse::Subscription{.filter = arguments.filter, .to_file = !arguments.file.empty()})),
          host_(settings_of(arguments)),
          positioned_(!arguments.file.empty() && arguments.member.has_journal()) {
        if (use_) use_->check(host_.made_journal());
        if (!arguments_.member.socket().empty()) socket_.emplace(host_, arguments_.member.socket());
        host_.on_event([this](dunlin::Instant, const dunlin::Event& event) {
            if (event.kind == dunlin::EventKind::started) start();
            if (socket_) socket_->take_event(event);
        });
        host_.loop().on_turn([this](dunlin::Instant) { end_turn(); });
        if (positioned_) {
            host_.journal()->before_write([this] { return output_ ? output_->flush_for_journal() : dunlin_asio::FileDevice::Flush{}; });
        }
    }

    [[nodiscard]] ExitCode run() {
        const ExitCode code = host_.run();
        if (output_) output_->flush();
        if (code == kDone && output_ && !output_->empty())
            throw ToolError(kFailed, "the last lines could not be written: nobody reads them.");
        if (code != kDone || count_ == 0 || complete()) return code;
        std::fprintf(stderr, "dunlin: stopped by a signal after %llu of %llu lines.\n", static_cast<unsigned long long>(lines_),
                     static_cast<unsigned long long>(count_));
        return ended_by_signal(host_.loop().stop_signal());
    }

  private:
    // The position in the file is known when the journal was read.
    void start() {
        if (!positioned_ && host_.node().receive_position() != 0) {
            throw ToolError(kCannotStart, "the journal '" + arguments_.member.journal() +
                                              "' has a place in an output file: name that with --file, or use another --journal.");
        }
        output_.emplace(host_.io(), arguments_.file, positioned_ ? std::optional(host_.node().receive_position()) : std::nullopt);
        lines_ = output_->lines_kept();
        if (use_) use_->note();
        dunlin::bus::SubscribeOptions options;
        if (arguments_.member.has_journal()) options.durable_id = durable_id(arguments_.filter);
        const auto handler = dunlin::bus::Handler{
            [](void* self, const dunlin::bus::Message& message) { return static_cast<Subscriber*>(self)->take(message); }, this};
        const dunlin::Status status = host_.node().subscribe(arguments_.filter, handler, options).status();
        if (status != dunlin::Status::ok) {
            throw ToolError(kFailed, "cannot subscribe to '" + arguments_.filter + "': " + std::string(dunlin::to_string(status)) + ".");
        }
    }

    dunlin::bus::Verdict take(const dunlin::bus::Message& message) {
        if (complete()) return dunlin::bus::Verdict::retry_later;
        const std::string_view line(reinterpret_cast<const char*>(message.payload.data()), message.payload.size());
        if (!output_->write_line(line)) {
            // Pending, which has no end: who is told "later" too often takes that for a dead letter.
            held_.push_back(message.completion);
            return dunlin::bus::Verdict::pending;
        }
        ++lines_;
        met_publisher_ = true;
        if (const auto position = output_->position(); positioned_ && position) host_.node().store_receive_position(*position);
        return dunlin::bus::Verdict::accept;
    }

    [[nodiscard]] bool complete() const { return count_ != 0 && lines_ >= count_; }

    void end_turn() {
        if (!output_) return;
        output_->flush();
        if (output_->half_empty()) ask_again();
        if (complete() && output_->empty()) host_.loop().shutdown();
    }

    // For what the reader was too far behind. not_found: its publisher has lost it, and sends it again or not.
    void ask_again() {
        for (const dunlin::bus::CompletionId& held : held_)
            static_cast<void>(host_.node().complete(dunlin_asio::boot_now(), held, dunlin::bus::Verdict::retry_later));
        held_.clear();
    }

    // Whether a peer publishes shows with its first message; voters hardly ever publish, so where only voters have connected that is worth
    // telling.
    [[nodiscard]] std::string why_waiting() const {
        if (!output_ || met_publisher_) return {};
        if (std::string alone = why_alone(host_, "publisher"); !alone.empty()) return alone;
        const dunlin::Instant now = dunlin_asio::boot_now();
        for (std::size_t i = 0; const auto peer = host_.node().peer(now, i); ++i) {
            if (peer->session_open && !peer->voter) return {};
        }
        return "no publisher has connected yet, only voters, and these forward nothing";
    }

    SubArguments arguments_;
    std::uint64_t count_;
    std::optional<JournalUse> use_;
    HostedNode host_;
    std::optional<ControlSocket> socket_;
    bool positioned_;
    std::optional<OutputFile> output_;
    std::uint64_t lines_ = 0;
    std::vector<dunlin::bus::CompletionId> held_;  // one a publisher and lane, since each holds back what follows it there
    bool met_publisher_ = false;
    WaitNotice notice_{host_.io(), [this] { return why_waiting(); }};
};

ExitCode subscribe(const SubArguments& arguments) {
    if (!dunlin::bus::valid_filter(arguments.filter, kHostMember.topic_bytes_max)) {
        throw ToolError(kUsage,
                        "'" + arguments.filter + "' is no filter: 1..128 bytes; '+' stands for one level, a last '#' for any number.");
    }
    const std::optional<std::uint64_t> count = arguments.count.empty() ? 0 : read_number(arguments.count);
    if (!count || (*count == 0 && !arguments.count.empty()))
        throw ToolError(kUsage, "--count '" + arguments.count + "' is no number of lines: it must be a whole number, 1 or more.");
    return Subscriber(arguments, *count).run();
}

}  // namespace

void add_sub(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<SubArguments>();
    CLI::App* const command = app.add_subcommand("sub", "Write each message of matching topics as a line");
    command->add_option("FILTER", arguments->filter, "Filter, such as harbour/+ or harbour/#")->required();
    arguments->member.add_to(*command, true);
    command->add_option("--file", arguments->file,
                        "Write this file instead of standard output; with --journal a restart goes on where it was");
    command->add_option("--count", arguments->count, "End when this many lines were written in all (those in the file count)")
        ->option_text("N");
    command->footer(
        "With --journal the subscription is durable: what is published while this command is down waits for it. "
        "A journal is for one FILTER, and for one --file.\n"
        "One of the two sides names the other with --peer: voters do not forward. What it waits for, it says after three seconds.\n"
        "Exit status: 0 --count lines were written, or without --count a signal ended it; 1 it failed; 2 wrong command line;\n"
        "3 could not start (port in use, unusable journal); 128 + N signal N ended it before --count lines.");
    command->callback([&action, arguments] { action = [arguments] { return subscribe(*arguments); }; });
}

}  // namespace dunlin_tool
