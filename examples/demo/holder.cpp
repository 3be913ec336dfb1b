// Wants the crane's lease. While it holds it, it moves the crane: each move is decided under a valid lease, takes a tenth of a second, and
// ends with an order published under the lease's token. A pause in the middle of a move is what no clock can guard against: the
// token does.
#include "member.hpp"
#include "telemetry_generated.h"

#include <dunlin/bus/table_builder.hpp>
#include <dunlin/ledger/lease_holder.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>

#include <array>
#include <exception>
#include <stdexcept>
#include <unordered_map>

namespace {

constexpr dunlin::Duration kLeaseTtl = dunlin::seconds{3};
constexpr dunlin::Duration kMove = dunlin::milliseconds{100};

class Holder {
  public:
    explicit Holder(const demo::Arguments& arguments) : guarded_(arguments.broken != demo::Broken::lease_guard), member_(arguments) {
        member_.loop().on_event([this](dunlin::Instant now, const dunlin::Event& event) { take(now, event); });
        member_.loop().on_turn([this](dunlin::Instant now) { note_validity(now); });
    }
    [[nodiscard]] int run() { return member_.run(); }

  private:
    void take(dunlin::Instant now, const dunlin::Event& event) {
        switch (event.kind) {
            case dunlin::EventKind::started: return want(now);
            case dunlin::EventKind::lease_held:
                told_held_ = true;
                told_token_ = dunlin::Token{event.value};
                return begin_move();
            case dunlin::EventKind::lease_lost:
                note_validity(now);
                told_held_ = false;
                member_.events().write(R"("event":"lost","token":%llu)", static_cast<unsigned long long>(event.value));
                return;
            case dunlin::EventKind::outcome:
                member_.events().write(R"("event":"outcome","sequence":%llu,"node":%u,"outcome":"%s")",
                                       static_cast<unsigned long long>(sequence_of_[event.id]), static_cast<unsigned>(event.node.value()),
                                       dunlin::to_string(event.outcome).data());
                return;
            default: return;
        }
    }

    void want(dunlin::Instant now) {
        const auto handle = member_.node().acquire_lease(now, demo::kCraneLease, kLeaseTtl);
        if (!handle.ok()) throw std::runtime_error("cannot ask for the lease");
        handle_ = handle.value();
    }

    // Whether it may act: the holder's rule, with a fresh clock. Without the guard it believes whatever it was told last.
    [[nodiscard]] bool may_act(dunlin::Instant now) {
        if (!guarded_) return told_held_;
        return member_.node().lease(handle_).valid_for(now, dunlin::Duration::zero());
    }

    // For the checker: from when to when this process takes itself for the holder.
    void note_validity(dunlin::Instant now) {
        if (!may_act(now)) return;
        const dunlin::ledger::LeaseView view = member_.node().lease(handle_);
        const dunlin::Instant until = guarded_ ? view.valid_until : now;
        const dunlin::Token token = guarded_ ? view.token : told_token_;
        const dunlin::Duration news = guarded_ ? dunlin::microseconds{1} : dunlin::milliseconds{10};
        if (until < noted_until_ + news && token == noted_token_) return;
        noted_until_ = until;
        noted_token_ = token;
        member_.events().write(
            R"("event":"holds","token":%llu,"from_us":%lld,"until_us":%lld)", static_cast<unsigned long long>(token.value()),
            static_cast<long long>(dunlin::to_us(now.time_since_epoch())), static_cast<long long>(dunlin::to_us(until.time_since_epoch())));
    }

    void begin_move() {
        const dunlin::Instant now = dunlin_asio::boot_now();
        if (moving_ || !may_act(now)) return;
        note_validity(now);
        moving_ = true;
        move_token_ = member_.node().lease(handle_).token;
        timer_.set(now + kMove);
    }

    void end_move() {
        moving_ = false;
        publish();
        begin_move();
    }

    void publish() {
        const dunlin::Instant now = dunlin_asio::boot_now();
        alignas(8) std::array<std::byte, 64> arena;
        dunlin::bus::TableBuilder table(arena, demo::CraneOrder::VT_POSITION_MM);
        table.add(demo::CraneOrder::VT_SEQUENCE, published_ + 1);
        table.add(demo::CraneOrder::VT_POSITION_MM, static_cast<std::int32_t>(published_ % 100 * 250));
        dunlin::bus::PublishOptions options;
        options.topic = demo::kCraneTopic;
        options.payload = table.finish().value();
        options.fence = dunlin::bus::PublishFence{.lease = demo::kCraneLease, .token = move_token_};
        const auto accepted = member_.node().publish(now, options);
        if (!accepted.ok()) return;  // nobody listens yet: the order was given to nobody
        ++published_;
        sequence_of_[accepted.value().id.value()] = published_;
        member_.events().write(R"("event":"ordered","sequence":%llu,"token":%llu)", static_cast<unsigned long long>(published_),
                               static_cast<unsigned long long>(move_token_.value()));
    }

    bool guarded_;
    demo::Member member_;
    dunlin::ledger::LeaseHandle handle_{};
    dunlin::Token move_token_{};
    dunlin::Token told_token_{};
    dunlin::Token noted_token_{};
    dunlin::Instant noted_until_{};
    std::unordered_map<std::uint64_t, std::uint64_t> sequence_of_;  // by PublishId
    std::uint64_t published_ = 0;
    bool told_held_ = false;
    bool moving_ = false;
    dunlin_asio::BootTimer timer_{member_.io(), [this] { end_move(); }};
};

}  // namespace

int main(int argc, char** argv) {
    try {
        return Holder(demo::read_arguments(argc, argv)).run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "holder: %s\n", error.what());
        return 3;
    }
}
