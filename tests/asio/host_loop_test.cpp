#include "asio/host.hpp"

#include <dunlin/node/formatter.hpp>
#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/format_file.hpp>
#include <dunlin_asio/host_error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

namespace dunlin_asio {
namespace {

using asio_test::Host;
using dunlin::Event;
using dunlin::EventKind;
using dunlin::Instant;
using dunlin::Outcome;
using dunlin::Status;
using Ending = HostLoop::Ending;

// Ends a loop that hangs, so that a broken program fails instead of waiting for ever.
struct Limit {
    explicit Limit(Host& host, dunlin::Duration limit = dunlin::seconds{60}) : timer(host.io, [&host] { host.loop->stop(); }) {
        timer.set(boot_now() + limit);
    }
    BootTimer timer;
};

// A node that takes every message, in a thread of its own until told to stop.
struct Subscriber {
    explicit Subscriber(const Host::Settings& settings, bool drains = true) : host(settings), limit(host) {
        host.loop->on_turn([this, drains](Instant) {
            if (!stopping) return;
            if (drains) return host.loop->shutdown();
            host.loop->stop();
        });
        const auto subscribed = host.node->subscribe("count/+", dunlin::bus::Handler::of(*this));
        EXPECT_TRUE(subscribed.ok());
        thread = std::thread([this] { ending = host.loop->run(); });
    }
    ~Subscriber() {
        if (thread.joinable()) finish();
    }
    void finish() {
        stopping.store(true);
        host.loop->wake();
        thread.join();
    }
    dunlin::bus::Verdict operator()(const dunlin::bus::Message& message) {
        std::uint32_t number = 0;
        EXPECT_GE(message.payload.size(), sizeof number);
        std::memcpy(&number, message.payload.data(), sizeof number);
        numbers.push_back(number);
        return dunlin::bus::Verdict::accept;
    }
    Host host;
    Limit limit;
    std::vector<std::uint32_t> numbers;  // read after finish()
    std::atomic<bool> stopping{false};
    Ending ending = Ending::stopped;
    std::thread thread;
};

// Sends 2,000 messages from one to the other.
void deliver_with_loss(const HostLoopOptions& options) {
    constexpr std::uint32_t kMessages = 2000;
    Subscriber subscriber({.id = 2, .loss_ppm = 50'000, .loop = options});
    Host publisher({.id = 1, .seed = subscriber.host.address(), .loss_ppm = 50'000, .loop = options});
    const Limit limit(publisher);
    std::uint32_t published = 0;
    std::uint32_t acknowledged = 0;
    publisher.loop->on_event([&](Instant, const Event& event) {
        if (event.kind != EventKind::outcome) return;
        EXPECT_EQ(event.outcome, Outcome::acknowledged);
        if (++acknowledged == kMessages) publisher.loop->shutdown();
    });
    publisher.loop->on_turn([&](Instant now) {
        while (published < kMessages && publisher.node->subscriber_count("count/up") > 0) {
            std::array<std::byte, 400> payload{};  // two messages a packet
            std::memcpy(payload.data(), &published, sizeof published);
            if (!publisher.node->publish(now, {.topic = "count/up", .payload = payload}).ok()) return;
            ++published;
        }
    });
    EXPECT_EQ(publisher.loop->run(), Ending::drained);
    subscriber.finish();
    EXPECT_EQ(acknowledged, kMessages);
    ASSERT_EQ(subscriber.numbers.size(), kMessages);
    for (std::uint32_t i = 0; i < kMessages; ++i) EXPECT_EQ(subscriber.numbers[i], i);
    EXPECT_GT(publisher.udp.send_figures().datagrams_dropped, 20U);
    EXPECT_EQ(subscriber.ending, Ending::drained);
}

TEST(HostLoop, delivers_every_message_once_and_in_order_over_loopback_with_loss) { deliver_with_loss({.stop_on_signals = false}); }

TEST(HostLoop, delivers_the_same_when_it_polls_busily) {
    deliver_with_loss({.stop_on_signals = false, .busy_poll = dunlin::microseconds{50}});
}

TEST(HostLoop, hears_timers_signals_and_other_threads_while_it_polls_busily) {
    Host host({.loop = {.stop_on_signals = true, .busy_poll = dunlin::seconds{3600}}});
    const Limit limit(host);
    std::atomic<bool> waiting{false};
    bool woken = false;
    BootTimer timer(host.io, [&] { waiting = true; });
    timer.set(boot_now() + dunlin::milliseconds{1});
    host.loop->on_turn([&](Instant) {
        if (!waiting.load() || woken) return;
        woken = true;
        std::raise(SIGTERM);
    });
    EXPECT_EQ(host.loop->run(), Ending::drained);
    EXPECT_TRUE(woken);
}

TEST(HostLoop, publishes_what_another_thread_posts_to_the_mailbox) {
    constexpr std::uint32_t kMessages = 200;
    Subscriber subscriber({.id = 2});
    Host publisher({.id = 1, .seed = subscriber.host.address()});
    const Limit limit(publisher);
    dunlin::MailboxOf<8, 64> mailbox;
    publisher.loop->serve(mailbox);
    std::uint32_t acknowledged = 0;
    std::thread poster;
    publisher.loop->on_event([&](Instant, const Event& event) {
        if (event.kind == EventKind::subscribed) {
            poster = std::thread([&] {
                for (std::uint32_t i = 0; i < kMessages;) {
                    if (mailbox.post("count/up", std::as_bytes(std::span(&i, 1))) == Status::ok) ++i;
                    publisher.loop->wake();
                }
            });
        }
        if (event.kind == EventKind::outcome && ++acknowledged == kMessages) publisher.loop->stop();
    });
    EXPECT_EQ(publisher.loop->run(), Ending::stopped);
    if (poster.joinable()) poster.join();
    subscriber.finish();
    EXPECT_EQ(acknowledged, kMessages);
    ASSERT_EQ(subscriber.numbers.size(), kMessages);
    EXPECT_TRUE(std::is_sorted(subscriber.numbers.begin(), subscriber.numbers.end()));
}

TEST(HostLoop, publishes_what_several_threads_post_while_it_polls_busily) {
    constexpr std::uint32_t kThreads = 3;
    constexpr std::uint32_t kEach = 500;
    Subscriber subscriber({.id = 2});
    Host publisher({.id = 1, .seed = subscriber.host.address(), .loop = {.stop_on_signals = false, .busy_poll = dunlin::milliseconds{1}}});
    const Limit limit(publisher);
    dunlin::MailboxOf<8, 64> mailbox;
    publisher.loop->serve(mailbox);
    std::uint32_t acknowledged = 0;
    std::vector<std::thread> posters;
    publisher.loop->on_event([&](Instant, const Event& event) {
        for (std::uint32_t t = 0; event.kind == EventKind::subscribed && t < kThreads; ++t) {
            posters.emplace_back([&, t] {
                for (std::uint32_t i = 0; i < kEach;) {
                    const std::uint32_t number = t * kEach + i;
                    if (mailbox.post("count/up", std::as_bytes(std::span(&number, 1))) == Status::ok) ++i;
                    publisher.loop->wake();
                }
            });
        }
        if (event.kind == EventKind::outcome && ++acknowledged == kThreads * kEach) publisher.loop->stop();
    });
    EXPECT_EQ(publisher.loop->run(), Ending::stopped);
    for (std::thread& poster : posters) poster.join();
    subscriber.finish();
    EXPECT_EQ(acknowledged, kThreads * kEach);
    std::array<std::uint32_t, kThreads> next{};
    for (const std::uint32_t number : subscriber.numbers) EXPECT_EQ(number % kEach, next[number / kEach]++);  // FIFO a thread
}

// A handler that takes long must not leave the next one with the time from before it: it may hold a lease.
TEST(HostLoop, an_outcome_is_told_with_a_time_from_after_the_handler_before_it) {
    Subscriber subscriber({.id = 2}, false);
    Host publisher({.id = 1, .seed = subscriber.host.address()});
    const Limit limit(publisher);
    constexpr std::uint32_t kMessages = 8;
    std::vector<Instant> told;
    publisher.loop->on_event([&](Instant now, const Event& event) {
        if (event.kind == EventKind::subscribed) {
            for (std::uint32_t i = 0; i < kMessages; ++i)
                ASSERT_TRUE(publisher.node->publish(now, {.topic = "count/up", .payload = std::as_bytes(std::span(&i, 1))}).ok());
        }
        if (event.kind != EventKind::outcome) return;
        told.push_back(now);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (told.size() == kMessages) publisher.loop->stop();
    });
    EXPECT_EQ(publisher.loop->run(), Ending::stopped);
    subscriber.finish();
    for (std::size_t i = 1; i < told.size(); ++i) EXPECT_GE(told[i] - told[i - 1], dunlin::milliseconds{20}) << i;
}

TEST(HostLoop, ends_when_another_thread_says_stop) {
    Host host({});
    const Limit limit(host);
    std::atomic<bool> started{false};
    host.loop->on_event([&](Instant, const Event& event) { started = started || event.kind == EventKind::started; });
    std::thread other([&] {
        while (!started) std::this_thread::yield();
        host.loop->stop();
    });
    EXPECT_EQ(host.loop->run(), Ending::stopped);
    other.join();
}

TEST(HostLoop, drains_on_sigterm) {
    Host host({.loop = {.stop_on_signals = true}});
    const Limit limit(host);
    host.loop->on_event([&](Instant, const Event& event) {
        if (event.kind == EventKind::started) std::raise(SIGTERM);
    });
    EXPECT_EQ(host.loop->run(), Ending::drained);
}

TEST(HostLoop, gives_a_drain_up_at_its_limit) {
    Subscriber subscriber({.id = 2}, false);
    Host publisher(
        {.id = 1, .seed = subscriber.host.address(), .loop = {.drain_limit = dunlin::milliseconds{100}, .stop_on_signals = false}});
    const Limit limit(publisher);
    publisher.loop->on_event([&](Instant now, const Event& event) {
        if (event.kind != EventKind::subscribed) return;
        subscriber.finish();  // nobody is there any more to settle the message
        const std::uint32_t number = 1;
        EXPECT_TRUE(publisher.node->publish(now, {.topic = "count/up", .payload = std::as_bytes(std::span(&number, 1))}).ok());
        publisher.loop->shutdown();
    });
    EXPECT_EQ(publisher.loop->run(), Ending::drain_limit);
}

TEST(HostLoop, runs_timers_of_the_application_on_the_same_io_context) {
    Host host({});
    const Limit limit(host);
    int rounds = 0;
    std::optional<BootTimer> timer;
    timer.emplace(host.io, [&] {
        if (++rounds == 3) return host.loop->stop();
        timer->set(boot_now() + dunlin::milliseconds{1});
    });
    timer->set(boot_now());
    EXPECT_EQ(host.loop->run(), Ending::stopped);
    EXPECT_EQ(rounds, 3);
}

TEST(HostLoop, refuses_a_node_whose_options_are_wrong) {
    Host host({.id = 0});
    EXPECT_THROW(static_cast<void>(host.loop->run()), HostError);
}

class HostLoopJournal : public testing::Test {
  protected:
    HostLoopJournal() {
        std::string pattern = (std::filesystem::temp_directory_path() / "dunlin-asio-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        path_ = (folder_ / "journal").string();
    }
    ~HostLoopJournal() override { std::filesystem::remove_all(folder_); }

    void format_as_member(std::uint16_t id) {
        asio::io_context io;
        FileDevice file(io, {.path = path_, .bytes = 256U << 10});
        std::vector<std::byte> buffer(1024);
        dunlin::Counters counters;
        dunlin::journal::Journal journal({buffer}, counters);
        dunlin::Formatter formatter(journal, {.node = dunlin::NodeId{id},
                                              .storage = dunlin::StorageId{random_nonzero_u64()},
                                              .stream = dunlin::StreamId{random_nonzero_u64()},
                                              .cluster = "dunlin"});
        ASSERT_EQ(format(io, file, formatter), Status::ok);
    }
    // The first event of a node that starts on the journal.
    Event first_event(std::uint16_t id, Ending expected) {
        Host host({.id = id, .journal = path_});
        const Limit limit(host);
        Event first;
        host.loop->on_event([&](Instant, const Event& event) {
            if (first.kind == EventKind::none) first = event;
            host.loop->shutdown();
        });
        EXPECT_EQ(host.loop->run(), expected);
        return first;
    }

    std::filesystem::path folder_;
    std::string path_;
};

TEST_F(HostLoopJournal, counts_its_starts_in_the_file) {
    format_as_member(7);
    const std::uint64_t first = first_event(7, Ending::drained).value;
    EXPECT_GT(first, 0U);
    for (std::uint64_t start = 1; start <= 3; ++start) {
        const Event event = first_event(7, Ending::drained);
        EXPECT_EQ(event.kind, EventKind::started);
        EXPECT_EQ(event.value, first + start);
    }
}

TEST_F(HostLoopJournal, ends_as_failed_on_a_journal_that_was_never_formatted) {
    Host host({.id = 7, .journal = path_});
    const Limit limit(host);
    Status status = Status::ok;
    host.loop->on_event([&](Instant, const Event& event) {
        if (event.kind == EventKind::failed) status = event.status;
    });
    EXPECT_EQ(host.loop->run(), Ending::failed);
    EXPECT_EQ(status, Status::blank);
}

}  // namespace
}  // namespace dunlin_asio
