#include "window.hpp"

#include "allocation_count.hpp"

#include <sys/resource.h>
#include <algorithm>
#include <cstdio>
#include <ctime>

namespace link_bench {
namespace {

constexpr std::size_t kLatenciesMax = 4'000'000;
constexpr std::int64_t kPublisherGrace_ns = 60'000'000;
constexpr std::int64_t kSubscriberGrace_ns = 200'000'000;

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; }

}  // namespace

std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Window::Window(const Arguments& arguments)
    : begin_ns_(arguments.begin_ns),
      end_ns_(arguments.end_ns),
      over_ns_(arguments.end_ns + (arguments.publisher ? kPublisherGrace_ns : kSubscriberGrace_ns)) {
    if (arguments.publisher && arguments.mode != "throughput") latencies_.reserve(kLatenciesMax);
}

Window::Mark Window::mark(std::uint64_t messages) {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return {messages, now_ns(), seconds(usage.ru_utime) + seconds(usage.ru_stime), allocation_count()};
}

void Window::tick(std::uint64_t messages) {
    const std::int64_t now = now_ns();
    if (!opened_ && now >= begin_ns_) {
        from_ = mark(messages);
        opened_ = true;
    }
    if (!closed_ && now >= end_ns_) {
        to_ = mark(messages);
        closed_ = true;
    }
    over_ = now >= over_ns_;
}

void Window::latency(std::int64_t nanoseconds) {
    if (open() && latencies_.size() < kLatenciesMax) latencies_.push_back(nanoseconds);
}

std::int64_t Window::percentile(double share) const {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1));
    return latencies_[index];
}

void Window::print() const {
    std::printf("{\"messages\": %llu, \"seconds\": %.6f, \"cpu_s\": %.6f, \"allocations\": %llu",
                static_cast<unsigned long long>(to_.messages - from_.messages), static_cast<double>(to_.time_ns - from_.time_ns) * 1e-9,
                to_.cpu_s - from_.cpu_s, static_cast<unsigned long long>(to_.allocations - from_.allocations));
    if (!latencies_.empty()) {
        std::sort(latencies_.begin(), latencies_.end());
        std::printf(", \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f",
                    static_cast<double>(percentile(0.5)) * 1e-3, static_cast<double>(percentile(0.99)) * 1e-3,
                    static_cast<double>(percentile(0.999)) * 1e-3, static_cast<double>(latencies_.back()) * 1e-3);
    }
    std::printf("}\n");
    std::fflush(stdout);
}

void say_ready() {
    std::puts("ready");
    std::fflush(stdout);
}

}  // namespace link_bench
