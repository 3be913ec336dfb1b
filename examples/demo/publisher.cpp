// Publishes this machine's telemetry, 200 times a second for 15 seconds, and leaves when every message is settled.
#include "member.hpp"
#include "telemetry_generated.h"
#include "telemetry_source.hpp"

#include <dunlin/bus/table_builder.hpp>

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/boot_timer.hpp>

#include <unistd.h>
#include <array>
#include <exception>
#include <unordered_map>

namespace {

constexpr dunlin::Duration kInterval = dunlin::milliseconds{5};
constexpr std::uint64_t kMessages = 3000;
constexpr dunlin::Duration kFireAndForget = dunlin::milliseconds{4};

class Publisher {
  public:
    explicit Publisher(const demo::Arguments& arguments)
        : settled_end_to_end_(arguments.broken != demo::Broken::settlement), member_(arguments) {
        ::gethostname(host_.data(), host_.size() - 1);
        member_.loop().on_event([this](dunlin::Instant, const dunlin::Event& event) { take(event); });
        member_.loop().on_turn([this](dunlin::Instant now) { check(now); });
    }
    [[nodiscard]] int run() { return member_.run(); }

  private:
    void check(dunlin::Instant now) {
        if (next_ == dunlin::kNever && member_.node().subscriber_count(demo::kTelemetryTopic) == demo::kSubscribers) {
            member_.events().write(R"("event":"publishing","interval_us":%lld)", static_cast<long long>(dunlin::to_us(kInterval)));
            next_ = now;
            publish_due();
        }
        if (published_ == kMessages && member_.node().status(now).outbox_messages == 0) member_.loop().shutdown();
    }

    void publish_due() {
        const dunlin::Instant now = dunlin_asio::boot_now();
        while (next_ <= now && published_ < kMessages && publish(now)) next_ += kInterval;
        if (published_ < kMessages) timer_.set(next_ > now ? next_ : now + dunlin::milliseconds{1});
    }

    // False: no room now; the same reading is due again at once.
    bool publish(dunlin::Instant now) {
        const demo::Reading reading = source_.read();
        alignas(8) std::array<std::byte, 256> arena;
        dunlin::bus::TableBuilder table(arena, demo::Telemetry::VT_HOST);
        table.add(demo::Telemetry::VT_SEQUENCE, published_ + 1);
        table.add(demo::Telemetry::VT_TIME_US, static_cast<std::uint64_t>(dunlin::to_us(now.time_since_epoch())));
        table.add(demo::Telemetry::VT_CPU_BUSY_PERMILLE, reading.cpu_busy_permille);
        table.add(demo::Telemetry::VT_LOAD_MILLI, reading.load_milli);
        table.add(demo::Telemetry::VT_MEMORY_AVAILABLE_KIB, reading.memory_available_kib);
        table.add(demo::Telemetry::VT_RECEIVED_BYTES, reading.received_bytes);
        table.add(demo::Telemetry::VT_SENT_BYTES, reading.sent_bytes);
        table.add_text(demo::Telemetry::VT_HOST, host_.data());
        dunlin::bus::PublishOptions options;
        options.topic = demo::kTelemetryTopic;
        options.payload = table.finish().value();
        if (!settled_end_to_end_) options.lifetime = kFireAndForget;
        const auto accepted = member_.node().publish(now, options);
        if (!accepted.ok()) return false;
        ++published_;
        sequence_of_[accepted.value().id.value()] = published_;
        member_.events().write(R"("event":"published","sequence":%llu,"subscribers":%u)", static_cast<unsigned long long>(published_),
                               static_cast<unsigned>(accepted.value().subscribers));
        // Without settlement "it was sent" has to pass for "it was processed".
        for (int i = 0; !settled_end_to_end_ && i < accepted.value().subscribers; ++i) {
            member_.events().write(R"("event":"outcome","sequence":%llu,"node":0,"outcome":"acknowledged")",
                                   static_cast<unsigned long long>(published_));
        }
        return true;
    }

    void take(const dunlin::Event& event) {
        if (event.kind != dunlin::EventKind::outcome || !settled_end_to_end_) return;
        member_.events().write(R"("event":"outcome","sequence":%llu,"node":%u,"outcome":"%s")",
                               static_cast<unsigned long long>(sequence_of_[event.id]), static_cast<unsigned>(event.node.value()),
                               dunlin::to_string(event.outcome).data());
    }

    bool settled_end_to_end_;
    demo::Member member_;
    demo::TelemetrySource source_;
    std::array<char, 64> host_{};
    std::unordered_map<std::uint64_t, std::uint64_t> sequence_of_;  // by PublishId
    std::uint64_t published_ = 0;
    dunlin::Instant next_ = dunlin::kNever;
    dunlin_asio::BootTimer timer_{member_.io(), [this] { publish_due(); }};
};

}  // namespace

int main(int argc, char** argv) {
    try {
        return Publisher(demo::read_arguments(argc, argv)).run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "publisher: %s\n", error.what());
        return 3;
    }
}
