#include "checks.hpp"
#include "report.hpp"

#include <cortex_m/board.hpp>
#include <cortex_m/semihosting.hpp>

#include <dunlin/core/division.hpp>
#include <dunlin_lwip/port.hpp>

#include <atomic>

namespace self_test {
namespace {

using namespace dunlin;
namespace port = dunlin_lwip::port;

constexpr int kReads = 20'000;
constexpr int kSleeps = 20;
constexpr Duration kSleep = milliseconds{5};
constexpr Duration kSleepAsked = milliseconds{200};
constexpr Duration kLateMax = milliseconds{1};
constexpr Duration kCompared = milliseconds{500};
constexpr std::uint64_t kRateBound_us = 2'000;  // of kCompared, 0.4 %: what can be seen of a rate in so short a time

std::uint64_t us(Duration time) { return static_cast<std::uint64_t>(to_us(time)); }

void sleep_through(Instant wake) {
    while (port::now() < wake) port::sleep_until(wake);
}

void check_reads() {
    const Instant first = port::now();
    Instant last = first;
    bool never_back = true;
    for (int i = 0; i < kReads; ++i) {
        const Instant read = port::now();
        never_back = never_back && read >= last;
        last = read;
    }
    check(never_back, "clock: it never goes back");
    check(last > first, "clock: it goes on");
}

// `asked` ends the sleep before it begins, and not being set it does not.
void check_asked_sleep() {
    std::atomic<bool> asked{true};
    const Instant before = port::now();
    port::sleep_until(before + kSleepAsked, &asked);
    const bool at_once = port::now() - before < kSleep;
    asked = false;
    const Instant wake = port::now() + kSleep;
    while (port::now() < wake) port::sleep_until(wake, &asked);
    check(at_once && !asked, "clock: no sleep where the application has asked for a turn");
}

void check_sleeps() {
    Duration latest{};
    for (int i = 0; i < kSleeps; ++i) {
        const Instant wake = port::now() + kSleep;
        sleep_through(wake);
        const Duration late = port::now() - wake;
        if (late > latest) latest = late;
    }
    tell("clock: a sleep of 5000 us ended late by at most ", us(latest), " us");
    if (board::argument("host") != "busy") check(latest <= kLateMax, "clock: sleeps end in time, within a millisecond");
    const Instant before = port::now();
    port::sleep_until(before);
    port::sleep_until(Instant{});
    check(port::now() - before < kSleep, "clock: no sleep until a time that has passed");
    check_asked_sleep();
}

struct Pair {
    Instant board{};
    std::uint64_t host_us = 0;
};

// Both clocks at one time, within 200 us. False: the host has none, or is too busy.
bool read_both(Pair& pair) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
        std::uint64_t host_ns = 0;
        const Instant before = port::now();
        if (!board::semihosting::elapsed_ns(host_ns)) return false;
        pair = {.board = port::now(), .host_us = divide(host_ns, 1000).quotient};
        if (pair.board - before < microseconds{200}) return true;
    }
    return false;
}

void check_rate() {
    Pair begin;
    Pair end;
    if (board::argument("host_clock") == "no" || !read_both(begin)) {
        board::print("clock: there is no host's clock to compare its rate with\n");
        return;
    }
    sleep_through(begin.board + kCompared);
    const bool read = read_both(end);
    const std::uint64_t own = us(end.board - begin.board);
    const std::uint64_t hosts = end.host_us - begin.host_us;
    const std::uint64_t difference = own > hosts ? own - hosts : hosts - own;
    tell("clock: in half a second it differs from the host's by ", difference, " us");
    check(read && difference <= kRateBound_us, "clock: its rate is that of the host's, asleep too");
}

}  // namespace

void check_clock() {
    check_reads();
    check_sleeps();
    check_rate();
}

void check_long_sleep() {
    std::uint32_t length_s = 0;
    for (const char digit : board::argument("sleep_s")) length_s = length_s * 10 + static_cast<std::uint32_t>(digit - '0');
    if (length_s == 0) return;
    const Instant wake = port::now() + seconds{length_s};
    std::uint64_t wakes = 0;
    for (; port::now() < wake; ++wakes) port::sleep_until(wake);
    tell("clock: a long sleep ended late by ", us(port::now() - wake), " us");
    tell("clock: it took ", wakes, " sleeps");
    check(port::now() - wake <= kLateMax && wakes <= length_s, "clock: a long sleep ends in time");
}

}  // namespace self_test
