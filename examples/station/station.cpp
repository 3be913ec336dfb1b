#include "station.hpp"

#include "life.hpp"
#include "line.hpp"
#include "machine.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace station {
namespace {

// A node's entry, as `dunlin join` prints it.
class Entry {
  public:
    Entry(const Settings& settings, dunlin::StorageId storage) {
        const Hexadecimal digits(storage.value());
        add_id(settings.id);
        add(":");
        add(digits.text());
        add("@");
        add(settings.address);
    }
    [[nodiscard]] std::string_view text() const { return {text_.data(), length_}; }

  private:
    void add(std::string_view piece) {
        piece.copy(text_.data() + length_, piece.size());
        length_ += piece.size();
    }
    void add_id(std::uint16_t id) {
        if (id >= 10) add_id(static_cast<std::uint16_t>(id / 10));
        text_[length_++] = static_cast<char>('0' + id % 10);
    }

    std::array<char, 5 + 1 + 16 + 1 + dunlin::kAddressBytesMax> text_;
    std::size_t length_ = 0;
};

// Stands between the node and the program: prints the node's life, and lets the program take part in it once it has started.
class Watch {
  public:
    Watch(const Settings& settings, const Program& program) : settings_(settings), program_(program) {}

    void on_event(dunlin::Node& node, dunlin::Instant now, const dunlin::Event& event) {
        const bool blank = event.kind == dunlin::EventKind::failed && event.status == dunlin::Status::blank;
        if (blank) return;  // it lives again with a new journal
        if (event.kind == dunlin::EventKind::started) start(node, now, event);
        tell_life(now, event);
        if (started_) program_.on_event(node, now, event);
    }
    dunlin::Instant on_turn(dunlin::Node& node, dunlin::Instant now) { return started_ ? program_.on_turn(node, now) : dunlin::kNever; }
    [[nodiscard]] bool started() const { return started_; }

  private:
    void start(dunlin::Node& node, dunlin::Instant now, const dunlin::Event& event) {
        started_ = true;
        const Field epoch{"epoch", event.value};
        const dunlin::StorageId storage = node.status(now).storage;
        if (storage == dunlin::StorageId{}) return tell(now, "started", {epoch});
        const Entry entry(settings_, storage);
        tell(now, "started", {epoch, {"entry", entry.text()}});
    }

    const Settings& settings_;
    Program program_;
    bool started_ = false;
};

// Of a node that failed.
std::string_view why(dunlin::Status status) {
    switch (status) {
        case dunlin::Status::corrupt:
            return "the journal is corrupt, or none: what it promised is not known, and nothing was written over it";
        case dunlin::Status::blank:
            return "the storage is blank, and what this board draws may repeat: say format=yes at a voter's first start only";
        case dunlin::Status::foreign_cluster: return "the journal is another node's, or of another cluster";
        case dunlin::Status::voter_journal: return "the journal is a voter's, and this node does not vote";
        case dunlin::Status::unsupported_version: return "the journal was written by another version of dunlin";
        case dunlin::Status::too_large:
        case dunlin::Status::invalid_argument:
        case dunlin::Status::table_full: return "the journal was made with other limits than this node has";
        case dunlin::Status::device_error: return "the storage cannot be read or written";
        case dunlin::Status::timed_out: return "it was stopped before everything was settled";
        case dunlin::Status::device_full: return "the storage is too small for what this node must remember";
        default: return "the node cannot go on with this journal";
    }
}

// Gives the storage a new journal, under a name that no other has.
dunlin::Status format(const Settings& settings) {
    dunlin::FormatPlan plan;
    plan.node = dunlin::NodeId{settings.id};
    plan.storage = dunlin::StorageId{machine::random_nonzero_u64()};
    plan.stream = dunlin::StreamId{machine::random_nonzero_u64()};
    plan.cluster = settings.cluster;
    const dunlin::Status status = machine::format(settings, plan);
    if (status == dunlin::Status::ok) tell(now(), "formatted");
    return status;
}

int serve(const Settings& settings, const NodePlace& place, const Program& program) {
    for (bool formatted = false;; formatted = true) {
        Watch watch(settings, program);
        Program watched;
        watched.on_event = {[](void* self, dunlin::Node& node, dunlin::Instant at, const dunlin::Event& event) {
                                static_cast<Watch*>(self)->on_event(node, at, event);
                            },
                            &watch};
        watched.on_turn = {[](void* self, dunlin::Node& node, dunlin::Instant at) { return static_cast<Watch*>(self)->on_turn(node, at); },
                           &watch};
        const machine::Ending ending = machine::live(settings, place, watched);
        if (!ending.opened) return kCannotStart;
        if (ending.status == dunlin::Status::ok) return kDone;
        dunlin::Status failure = ending.status;
        const bool may_format = !place.votes || settings.format || machine::has_entropy();
        if (failure == dunlin::Status::blank && !formatted && may_format) failure = format(settings);
        if (failure == dunlin::Status::ok) continue;
        complain({why(failure), " (", dunlin::to_string(failure), ")."});
        return watch.started() ? kFailed : kCannotStart;
    }
}

}  // namespace

dunlin::Options options_of(const Settings& settings) {
    dunlin::Options options;
    options.id = dunlin::NodeId{settings.id};
    options.cluster = settings.cluster;
    options.seeds = settings.seed_addresses();
    options.instance = dunlin::InstanceId{machine::random_nonzero_u64()};
    options.seed = machine::random_nonzero_u64();
    return options;
}

int run(int argc, const char* const* argv, const NodePlace& place, const Program& program) {
    Settings settings;
    if (const std::optional<WrongSetting> wrong = read_settings(argc, argv, settings)) {
        complain({"'", wrong->word, "' ", wrong->reason, "."});
        return kUsage;
    }
    if (place.votes && !machine::has_storage(settings)) {
        complain({"a voter needs a journal, and there is none: what it promises must survive its restart."});
        return kCannotStart;
    }
    return serve(settings, place, program);
}

}  // namespace station
