// Recorded lives of a journal, cut at every operation of the device and inside each: what was promised is there, nothing else is
// believed, and the journal goes on.
#include "power_cut.hpp"
#include "boot.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

namespace dunlin::journal::test {
namespace {

constexpr std::size_t kDeviceBytes = 16 * 1024;
constexpr std::size_t kBufferBytes = 2048;
constexpr std::size_t kChunkBytes = 900;

// All that a journal was ever given, by sequence.
class History {
  public:
    struct Item {
        RecordKind kind;
        std::string text;
        bool continued;
    };

    void put(std::uint64_t sequence, Item item) { items_[sequence] = std::move(item); }
    void begin_bank(std::uint64_t first) { banks_.push_back({first, ~std::uint64_t{0}}); }
    void seal_bank(std::uint64_t last) { banks_.back().sealed = last; }
    // A crash has undone what came later.
    void cut_after(std::uint64_t last) {
        items_.erase(items_.upper_bound(last), items_.end());
        while (!banks_.empty() && banks_.back().first > last) banks_.pop_back();
    }

    // Why this cannot be what a recovery gives back; empty: it can be.
    [[nodiscard]] std::string contradiction(const std::vector<Recovered>& found, std::uint64_t promised) const {
        if (found.empty()) return "nothing was recovered";
        const std::uint64_t last = found.back().sequence;
        if (last < promised) return "record " + std::to_string(promised) + " was promised, and " + std::to_string(last) + " is the last";
        const auto bank = std::find_if(banks_.rbegin(), banks_.rend(), [&](const Bank& each) { return each.first <= last; });
        if (bank == banks_.rend() || last < bank->sealed) return "a checkpoint ends in record " + std::to_string(last);
        if (found.front().sequence != bank->first || found.size() != last - bank->first + 1) return "records are missing";
        for (const Recovered& each : found) {
            const auto item = items_.find(each.sequence);
            if (item == items_.end() || item->second.kind != each.kind || item->second.text != each.text)
                return "record " + std::to_string(each.sequence) + " was never written so";
        }
        return items_.at(last).continued ? "half a batch" : "";
    }

  private:
    struct Bank {
        std::uint64_t first;
        std::uint64_t sealed;  // the last record of its checkpoint
    };
    std::map<std::uint64_t, Item> items_;
    std::vector<Bank> banks_;
};

// One life of an owner that appends batches and writes checkpoints with chunks of an image in them, and its device's part of it.
class Life {
  public:
    // Begins on a device where the changes of `left` are not synced.
    Life(Recording left, History& history, std::uint64_t promised, std::uint64_t seed)
        : device_(left.start, left.geometry), history_(&history), promised_(promised), random_(seed) {
        recording.start = std::move(left.start);
        recording.geometry = left.geometry;
        device_.on_change = [this](const DeviceOp& op) {
            promises.push_back(std::max(promised_, boot_.journal.durable().value()));
            recording.add(op);
        };
        for (Recording::Change& each : left.changes)
            EXPECT_EQ(device_.perform({.kind = each.kind, .offset = each.offset, .buffer = each.bytes}), Status::ok);
    }
    void format() {
        boot_.journal.format(device_.size(), StorageId{77});
        write_checkpoint();
    }
    void open() {
        ASSERT_EQ(boot_.open(), Status::ok);
        history_->cut_after(boot_.recovered.back().sequence);
    }
    // Ends in the middle of whatever is under way then.
    void work(std::size_t operations) {
        end_ = operations;
        while (!over() && boot_.journal.state() == State::ready) {
            if (boot_.journal.needs_checkpoint()) {
                boot_.journal.begin_checkpoint();
                write_checkpoint();
            }
            for (std::uint64_t i = random_.below(4); i > 0; --i) put_batch();
            step();
        }
        promises.push_back(std::max(promised_, boot_.journal.durable().value()));
    }
    [[nodiscard]] unsigned checkpoints() const { return boot_.counters.get(Counter::journal_compactions); }

    Recording recording;
    std::vector<std::uint64_t> promises;  // before each change, and after all

  private:
    [[nodiscard]] bool over() const { return recording.changes.size() >= end_; }
    bool step() { return !over() && boot_.step(); }

    void put_batch() {
        const std::uint64_t count = 1 + random_.below(3);
        const std::uint64_t before = boot_.journal.appended().value();
        std::vector<History::Item> items;
        for (std::uint64_t i = 0; i < count; ++i) {
            std::string text = std::to_string(++texts_) + ":" + std::string(static_cast<std::size_t>(random_.below(300)), '.');
            if (!boot_.append(text, i + 1 < count).ok()) return;
            items.push_back({RecordKind::log_entry, std::move(text), i + 1 < count});
        }
        for (std::uint64_t i = 0; i < count; ++i) history_->put(before + 1 + i, items[static_cast<std::size_t>(i)]);
    }
    void write_checkpoint() {
        history_->begin_bank(boot_.journal.appended().value() + 1);
        // What is still to be drained comes before it.
        if (!emit(RecordKind::format, "format")) return;
        for (int chunk = 0; chunk < 2; ++chunk) {
            std::string text = std::to_string(++texts_);
            text.resize(kChunkBytes, 'i');
            if (!emit(RecordKind::image_chunk, text)) return;
        }
        for (int i = 0; i < 4; ++i) {
            if (!emit(RecordKind::watermark, std::to_string(++texts_) + std::string(static_cast<std::size_t>(random_.below(60)), 'w')))
                return;
        }
        history_->seal_bank(boot_.journal.appended().value());
        boot_.journal.finish_checkpoint();
        while (boot_.journal.checkpointing() && step()) {}
    }
    bool emit(RecordKind kind, const std::string& text) {
        for (;;) {
            const Status status = boot_.journal.checkpoint_append(kind, bytes_of(text));
            if (status == Status::ok) break;
            EXPECT_EQ(status, Status::busy);
            if (!step()) return false;
        }
        history_->put(boot_.journal.appended().value(), {kind, text, false});
        return true;
    }

    MemoryDevice device_;
    Boot boot_{device_, kBufferBytes};
    History* history_;
    std::uint64_t promised_;
    Random random_;
    std::size_t end_ = ~std::size_t{0};
    unsigned texts_ = 0;
};

// As long as the first record of a checkpoint that was interrupted: what came behind that must not be taken for part of this one.
const std::vector<std::string>& live() {
    static const std::vector<std::string> one{std::string(kChunkBytes, 'n')};
    return one;
}

// What is wrong with a journal that takes one more record, or is checkpointed first, and is opened in between; empty: nothing.
std::string goes_on(MemoryDevice& device, Boot& boot, bool checkpoint_first) {
    std::vector<std::string> expected = boot.texts();
    if (checkpoint_first || boot.journal.needs_checkpoint()) {
        boot.compact(live());
        expected = live();
    } else {
        if (!boot.append("after").ok()) return "takes no append";
        expected.emplace_back("after");
        boot.drain();
    }
    device.power_loss_keeping({});
    Boot next(device, kBufferBytes);
    if (next.open() != Status::ok || next.texts() != expected) return "forgets what it took afterwards, or makes something up";
    next.compact(live());
    next.store("last");
    device.power_loss_keeping({});
    Boot last(device, kBufferBytes);
    expected = live();
    expected.emplace_back("last");
    return last.open() == Status::ok && last.texts() == expected ? "" : "forgets its next checkpoint, or makes something up";
}

// What is wrong with what recovery makes of this content; empty: nothing.
std::string verdict(const Content& content, Geometry geometry, const History& history, std::uint64_t promised, bool checkpoint_first) {
    MemoryDevice device(content, geometry);
    Boot boot(device, kBufferBytes);
    const Status status = boot.open();
    if (status == Status::ok) {
        if (std::string wrong = history.contradiction(boot.recovered, promised); !wrong.empty()) return wrong;
        return goes_on(device, boot, checkpoint_first);
    }
    // Before its first promise a journal may be blank or broken, and is formatted again.
    if (promised > 0) return "cannot be opened: " + std::string(to_string(status));
    Boot again(device, kBufferBytes);
    again.format();
    return goes_on(device, again, checkpoint_first);
}

struct Tally {
    std::size_t cuts = 0;
    std::size_t failures = 0;
    std::string first{};
    Content last_content{};
};

void cut_everywhere(const Life& life, const History& history, Tally& tally) {
    for_each_power_cut(life.recording, [&](std::size_t at, const Content& content) {
        ++tally.cuts;
        tally.last_content = content;
        std::string wrong = verdict(content, life.recording.geometry, history, life.promises[at], false);
        if (wrong.empty()) wrong = verdict(content, life.recording.geometry, history, life.promises[at], true);
        if (wrong.empty()) return;
        if (++tally.failures > 1) return;
        std::ostringstream text;
        text << "in operation " << at << ": " << wrong;
        tally.first = text.str();
    });
}

Tally live(std::uint64_t lives, Geometry geometry, const char* medium) {
    Tally tally;
    unsigned checkpoints = 0;
    History history;
    Recording left{.start = MemoryDevice::blank(kDeviceBytes, geometry), .geometry = geometry};
    std::uint64_t promised = 0;
    for (std::uint64_t life = 0; life < lives; ++life) {
        Life owner(left, history, promised, life + 1);
        life == 0 ? owner.format() : owner.open();
        owner.work(static_cast<std::size_t>(40 + life));
        cut_everywhere(owner, history, tally);
        checkpoints += owner.checkpoints();
        promised = owner.promises.back();
        // The next one begins on a torn device, wherever something was under way; or only the process has died.
        left = life % 2 == 0 ? Recording{.start = tally.last_content, .geometry = geometry} : left_by(owner.recording);
    }
    std::cout << "power cut: " << tally.cuts << " cut points on " << medium << ", " << tally.failures << " failures\n";
    EXPECT_EQ(tally.failures, 0U) << tally.first;
    EXPECT_GE(checkpoints, lives);
    return tally;
}

TEST(PowerCut, at_any_operation_and_inside_it_keeps_every_promise_of_a_journal) { EXPECT_GT(live(16, {}, "a file").cuts, 10'000U); }

class PowerCutOnFlash : public testing::TestWithParam<Geometry> {};

TEST_P(PowerCutOnFlash, at_any_operation_and_inside_it_keeps_every_promise_of_a_journal) {
    const std::string medium =
        "flash of " + std::to_string(GetParam().erase_bytes) + "/" + std::to_string(GetParam().program_bytes) + " bytes";
    EXPECT_GT(live(4, GetParam(), medium.c_str()).cuts, 2'000U);
}

INSTANTIATE_TEST_SUITE_P(Geometries, PowerCutOnFlash,
                         testing::Values(Geometry{1024, 8}, Geometry{512, 32}, Geometry{4096, 64}, Geometry{8192, 16}),
                         [](const auto& geometry) {
                             return std::to_string(geometry.param.erase_bytes) + "_" + std::to_string(geometry.param.program_bytes);
                         });

}  // namespace
}  // namespace dunlin::journal::test
