#include "load.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace consensus_bench {

std::string key_of(std::size_t client) {
    std::string key = std::to_string(client);
    return std::string(kKeyBytes - key.size(), 'k') + key;
}

std::array<std::byte, kValueBytes> value_of(std::uint64_t number) {
    std::array<std::byte, kValueBytes> value;
    value.fill(std::byte{'v'});
    std::memcpy(value.data(), &number, sizeof number);
    return value;
}

std::vector<std::string> servers_of(const link_bench::Arguments& arguments) {
    std::vector<std::string> servers;
    for (std::size_t from = 0; from < arguments.servers.size();) {
        const std::size_t comma = std::min(arguments.servers.find(',', from), arguments.servers.size());
        servers.push_back(arguments.servers.substr(from, comma - from));
        from = comma + 1;
    }
    return servers;
}

Load::Load(const link_bench::Arguments& arguments) : arguments_(arguments), paced_(arguments.mode == "paced") {
    arguments_.publisher = true;
}

void Load::warmed() {
    if (++warm_ == arguments_.clients) begin();
}

void Load::begin() {
    link_bench::say_ready();
    if (paced_) return;
    long long begin = 0;
    long long end = 0;
    if (std::scanf("%lld %lld", &begin, &end) != 2) std::exit(2);
    arguments_.begin_ns = begin;
    arguments_.end_ns = end;
    window_.emplace(arguments_);
}

void Load::done(std::size_t client, std::int64_t issued_ns, std::string_view failure) {
    const std::int64_t now = link_bench::now_ns();
    if (paced_) {
        if (!failure.empty()) return;
        std::printf("%lld %lld %zu\n", static_cast<long long>(issued_ns), static_cast<long long>(now), client);
        std::fflush(stdout);
        return;
    }
    if (!failure.empty()) {
        std::fprintf(stderr, "consensus bench: a put of client %zu failed: %.*s\n", client, static_cast<int>(failure.size()),
                     failure.data());
        std::exit(3);
    }
    ++puts_;
    window_->latency(now - issued_ns);
}

void Load::tick() {
    if (window_) window_->tick(puts_);
}

}  // namespace consensus_bench
