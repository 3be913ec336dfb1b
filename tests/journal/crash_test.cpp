#include "boot.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>

namespace dunlin::journal::test {
namespace {

// The owner of a journal that keeps a map of counters in it: eight keys, each put with a value never used before, in
// batches of one to three puts. `states[n]` is the map after n batches: what a recovery may find is exactly one of them.
class Owner {
  public:
    using Map = std::map<unsigned, unsigned>;

    Owner(std::size_t device_bytes, std::size_t buffer_bytes, std::size_t tear_bytes, std::uint64_t seed)
        : device(device_bytes), random_(seed), buffer_bytes_(buffer_bytes), tear_bytes_(tear_bytes) {
        boot_ = std::make_unique<Boot>(device, buffer_bytes_);
        boot_->format();
    }

    // Works until `ops` operations of the device are done; the last of them is performed but never reported.
    void work(std::size_t ops) {
        ops_left_ = ops;
        while (ops_left_ > 0) {
            if (boot_->journal.needs_checkpoint()) checkpoint();
            const std::uint64_t batches = random_.below(4);
            for (std::uint64_t i = 0; i < batches; ++i) put_batch();
            step();
            if (random_.below(2) == 0) step();
        }
    }

    // Loses power (or, now and then, only the process), starts again, and checks what came back.
    void crash_and_recover() {
        const std::size_t promised = promised_batches();
        if (random_.below(8) != 0) device.power_loss(random_, tear_bytes_);
        boot_ = std::make_unique<Boot>(device, buffer_bytes_);
        ASSERT_EQ(boot_->open(), Status::ok);
        Map map;
        for (const Recovered& record : boot_->recovered) apply(map, record.text);
        const std::size_t found = find(map, promised);
        ASSERT_LT(found, states_.size()) << "what came back is no state since the last promise";
        states_.resize(found + 1);
        batch_of_.clear();
        promised_ = found;
        torn_ += boot_->journal.needs_checkpoint() ? 1 : 0;
    }

    [[nodiscard]] unsigned torn() const { return torn_; }
    [[nodiscard]] unsigned checkpoints() const { return checkpoints_; }
    [[nodiscard]] std::size_t batches() const { return states_.size() - 1; }

    MemoryDevice device;

  private:
    static void apply(Map& map, const std::string& text) {
        unsigned key = 0;
        unsigned value = 0;
        if (std::sscanf(text.c_str(), "%u=%u", &key, &value) == 2) map[key] = value;
    }
    void step() {
        if (ops_left_ == 0) return;
        const std::optional<DeviceOp> op = boot_->journal.poll_op();
        if (!op) {
            --ops_left_;  // an idle turn counts too, so that every run ends
            return;
        }
        ASSERT_EQ(device.perform(*op), Status::ok);
        if (--ops_left_ > 0) boot_->journal.on_complete(op->id, Status::ok, device.bytes_read(*op));
    }
    void put_batch() {
        const std::uint64_t puts = 1 + random_.below(3);
        Map map = states_.back();
        Result<JournalSequence> result = Status::busy;
        for (std::uint64_t i = 0; i < puts; ++i) {
            const unsigned key = static_cast<unsigned>(random_.below(8));
            map[key] = ++value_;
            std::string text = std::to_string(key) + "=" + std::to_string(value_) + ";";
            text.append(static_cast<std::size_t>(random_.below(60)), '.');
            result = boot_->append(text, i + 1 < puts);
            if (!result.ok()) return;
        }
        batch_of_.emplace_back(result.value().value(), states_.size());
        states_.push_back(map);
    }
    void checkpoint() {
        Journal& journal = boot_->journal;
        journal.begin_checkpoint();
        if (!emit(RecordKind::format, "format")) return;
        for (const auto& [key, value] : states_.back()) {
            const std::string text =
                std::to_string(key) + "=" + std::to_string(value) + ";" + std::string(static_cast<std::size_t>(random_.below(40)), '-');
            if (!emit(RecordKind::watermark, text)) return;
        }
        journal.finish_checkpoint();
        while (journal.checkpointing() && ops_left_ > 0) step();
        ++checkpoints_;
    }
    bool emit(RecordKind kind, std::string_view text) {
        while (ops_left_ > 0) {
            const Status status = boot_->journal.checkpoint_append(kind, bytes_of(text));
            if (status == Status::ok) return true;
            EXPECT_EQ(status, Status::busy);
            step();
        }
        return false;
    }
    [[nodiscard]] std::size_t promised_batches() const {
        std::size_t promised = promised_;
        for (const auto& [sequence, batches] : batch_of_) {
            if (sequence <= boot_->journal.durable().value()) promised = std::max(promised, batches);
        }
        return promised;
    }
    [[nodiscard]] std::size_t find(const Map& map, std::size_t from) const {
        while (from < states_.size() && states_[from] != map) ++from;
        return from;
    }

    Random random_;
    std::unique_ptr<Boot> boot_;
    std::vector<Map> states_{Map{}};
    std::vector<std::pair<std::uint64_t, std::size_t>> batch_of_;  // last sequence of a batch, number of batches then
    std::size_t promised_ = 0;
    std::size_t buffer_bytes_;
    std::size_t tear_bytes_;
    std::size_t ops_left_ = 0;
    unsigned value_ = 0;
    unsigned torn_ = 0;
    unsigned checkpoints_ = 0;
};

struct Shape {
    std::size_t device_bytes;
    std::size_t buffer_bytes;
    std::size_t tear_bytes;
};

class Crash : public testing::TestWithParam<Shape> {};

TEST_P(Crash, after_any_operation_recovers_every_durable_batch_and_never_half_of_one) {
    const Shape shape = GetParam();
    unsigned torn = 0;
    unsigned checkpoints = 0;
    for (std::size_t ops = 1; ops <= 160; ++ops) {
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            SCOPED_TRACE("ops " + std::to_string(ops) + " seed " + std::to_string(seed));
            Owner owner(shape.device_bytes, shape.buffer_bytes, shape.tear_bytes, seed);
            for (int life = 0; life < 3; ++life) {
                owner.work(life == 0 ? ops : static_cast<std::size_t>(1 + (ops * 7 + seed) % 40));
                owner.crash_and_recover();
                if (HasFatalFailure()) return;
            }
            torn += owner.torn();
            checkpoints += owner.checkpoints();
        }
    }
    EXPECT_GT(torn, 100U);
    EXPECT_GT(checkpoints, 100U);
}

TEST_P(Crash, of_many_lives_in_a_row_never_brings_a_cut_record_back) {
    const Shape shape = GetParam();
    for (std::uint64_t seed = 100; seed < 110; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random lengths(seed);
        Owner owner(shape.device_bytes, shape.buffer_bytes, shape.tear_bytes, seed);
        for (int life = 0; life < 150; ++life) {
            owner.work(static_cast<std::size_t>(1 + lengths.below(25)));
            owner.crash_and_recover();
            if (HasFatalFailure()) return;
        }
        EXPECT_GT(owner.batches(), 200U);
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Crash,
                         testing::Values(Shape{8192, 512, 512}, Shape{8192, 512, 8}, Shape{8192, 512, 1}, Shape{16384, 2048, 512},
                                         Shape{16384, 2048, 24}));

}  // namespace
}  // namespace dunlin::journal::test
