#pragma once

#include <link/endpoint.hpp>

#include <gtest/gtest.h>

namespace dunlin::link {

struct WireFaults {
    std::uint32_t loss_percent = 0;
    std::uint32_t duplicate_percent = 0;
    Duration delay_min = microseconds{200};
    Duration delay_max = microseconds{200};  // above delay_min: reordering
};

// Two endpoints, node 1 and node 2, and an in-memory wire between them, on virtual time. The seed decides everything.
template <Limits L>
class LinkPairOf {
  public:
    using End = EndpointOf<L>;
    explicit LinkPairOf(std::uint64_t seed = 1, const WireFaults& with = {}) : faults(with), random_(seed) {
        reset(0, LinkSelf{});
        reset(1, LinkSelf{});
    }

    // A new process at one end: nothing of the old one is left.
    void reset(std::size_t end, const LinkSelf& self) {
        ends_[end] = std::make_unique<End>(NodeId{static_cast<std::uint16_t>(end + 1)}, random_.next_u64(), self, lanes[end]);
    }
    End& a() { return *ends_[0]; }
    End& b() { return *ends_[1]; }

    void dial() { a().link->dial(now, kPath); }
    void open() {
        dial();
        run_until([&] { return a().link->session_open() && b().link->session_open(); });
        ASSERT_TRUE(a().link->session_open() && b().link->session_open());
    }

    void run_for(Duration duration) {
        run_until([] { return false; }, duration);
    }
    // Until `done` or the limit; then flushes what is due now.
    template <class Done>
    void run_until(Done done, Duration limit = seconds{60}) {
        const Instant end = now + limit;
        flush();
        while (!done()) {
            const Instant next = next_event();
            if (next > end) {
                now = end;
                break;
            }
            now = std::max(now, next);
            step();
            flush();
        }
    }

    static constexpr PathId kPath{1};
    std::array<std::size_t, 2> lanes{1, 1};  // of the next process at an end
    Instant now{seconds{1000}};
    WireFaults faults;
    bool cut = false;              // nothing passes
    std::size_t carries = 0xffff;  // what is longer vanishes
    bool heartbeats = true;
    std::vector<std::vector<std::byte>> recorded;  // every packet towards b, when `record`
    bool record = false;
    std::size_t packet_count = 0;

    void send(std::size_t from, std::vector<std::byte> bytes) {
        ++packet_count;
        if (record && from == 0) recorded.push_back(bytes);
        if (cut || bytes.size() > carries) return;
        if (random_.below(100) < faults.loss_percent) return;
        const bool twice = random_.below(100) < faults.duplicate_percent;
        if (twice) queue(1 - from, bytes);
        queue(1 - from, std::move(bytes));
    }

    void flush() {
        for (bool more = true; more;) {
            more = false;
            for (std::size_t end = 0; end < 2; ++end) {
                PathId path{};
                while (true) {
                    auto bytes = ends_[end]->send(now, path);
                    if (bytes.empty()) break;
                    EXPECT_EQ(path, kPath);
                    send(end, std::move(bytes));
                    more = true;
                }
            }
        }
    }

  private:
    void queue(std::size_t to, std::vector<std::byte> bytes) {
        const Duration delay = random_.between(faults.delay_min, faults.delay_max);
        air_.emplace(now + delay, std::pair{to, std::move(bytes)});
    }
    Instant next_event() const {
        Instant next = std::min(ends_[0]->link->next_deadline(), ends_[1]->link->next_deadline());
        if (!air_.empty()) next = std::min(next, air_.begin()->first);
        if (heartbeats) next = std::min(next, heartbeat_at_);
        return std::max(next, now + microseconds{1});
    }
    void step() {
        while (!air_.empty() && air_.begin()->first <= now) {
            auto [to, bytes] = std::move(air_.begin()->second);
            air_.erase(air_.begin());
            if (ends_[to]->link) (void)ends_[to]->receive(now, kPath, bytes);
        }
        for (auto& end : ends_) {
            if (end->link->next_deadline() <= now) end->link->on_timeout(now);
        }
        if (!heartbeats || now < heartbeat_at_) return;
        heartbeat_at_ = now + milliseconds{200};
        for (std::size_t end = 0; end < 2; ++end) {
            if (auto bytes = ends_[end]->heartbeat(now); !bytes.empty()) send(end, std::move(bytes));
        }
    }

    Random random_;
    std::unique_ptr<End> ends_[2];
    std::multimap<Instant, std::pair<std::size_t, std::vector<std::byte>>> air_;
    Instant heartbeat_at_{seconds{1000}};
};

using LinkPair = LinkPairOf<kTestLimits>;

template <Limits L>
std::vector<std::string> payloads(const EndpointOf<L>& end) {
    std::vector<std::string> all;
    for (const Delivered& message : end.delivered) all.push_back(message.payload);
    return all;
}

inline std::vector<std::string> numbers(int from, int to) {
    std::vector<std::string> all;
    for (int i = from; i <= to; ++i) all.push_back(std::to_string(i));
    return all;
}

}  // namespace dunlin::link
