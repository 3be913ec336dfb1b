#include "member.hpp"

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/entropy.hpp>
#include <dunlin_asio/host_error.hpp>

#include <array>
#include <cstdarg>
#include <cstdlib>

namespace demo {
namespace {

constexpr std::uint32_t kLossPpm = 50'000;
constexpr int kArgumentsMin = 5;

std::optional<Broken> read_broken(std::string_view name) {
    if (name == "nothing") return Broken::nothing;
    if (name == "fencing") return Broken::fencing;
    if (name == "settlement") return Broken::settlement;
    if (name == "lease-guard") return Broken::lease_guard;
    return std::nullopt;
}

dunlin_asio::UdpOptions udp_options(const Arguments& arguments) {
    dunlin_asio::UdpOptions options;
    options.bind = arguments.listen;
    options.loss_ppm = kLossPpm;
    options.loss_seed = dunlin_asio::random_nonzero_u64();
    return options;
}

}  // namespace

Arguments read_arguments(int argc, char** argv) {
    const std::vector<std::string> given(argv + 1, argv + argc);
    const std::optional<Broken> broken = given.size() >= kArgumentsMin ? read_broken(given[3]) : std::nullopt;
    if (!broken) {
        std::fprintf(stderr, "usage: %s ID LISTEN EVENTS nothing|fencing|settlement|lease-guard PEER...\n", argv[0]);
        std::exit(2);
    }
    Arguments arguments;
    arguments.id = static_cast<std::uint16_t>(std::strtoul(given[0].c_str(), nullptr, 10));
    arguments.listen = given[1];
    arguments.events = given[2];
    arguments.broken = *broken;
    arguments.peers.assign(given.begin() + 4, given.end());
    return arguments;
}

EventFile::EventFile(const std::string& path) : file_(std::fopen(path.c_str(), "a")) {
    if (file_ == nullptr) {
        std::perror(path.c_str());
        std::exit(3);
    }
    std::setvbuf(file_.get(), nullptr, _IOLBF, 0);  // each line outlives the process
}

void EventFile::write(const char* fields, ...) {
    std::fprintf(file_.get(), "{\"time_us\":%lld,", static_cast<long long>(dunlin::to_us(dunlin_asio::boot_now().time_since_epoch())));
    va_list values;
    va_start(values, fields);
    std::vfprintf(file_.get(), fields, values);
    va_end(values);
    std::fputs("}\n", file_.get());
}

Member::Member(const Arguments& arguments)
    : events_(arguments.events),
      peers_(arguments.peers.begin(), arguments.peers.end()),
      udp_(io_, udp_options(arguments)),
      memory_(std::make_unique<dunlin::NodeMemory<kMemberLimits>>()) {
    dunlin::Options options;
    options.id = dunlin::NodeId{arguments.id};
    options.cluster = "harbour";
    options.seeds = peers_;
    options.instance = dunlin::InstanceId{dunlin_asio::random_nonzero_u64()};
    options.seed = dunlin_asio::random_nonzero_u64();
    node_ = &memory_->emplace(options);
    loop_.emplace(io_, *node_, udp_, nullptr);
}

int Member::run() {
    const dunlin_asio::HostLoop::Ending ending = loop_->run();
    const dunlin_asio::SendQueue::Figures& figures = udp_.send_figures();
    events_.write(R"("event":"transport","datagrams_sent":%llu,"datagrams_dropped":%llu)",
                  static_cast<unsigned long long>(figures.datagrams_sent), static_cast<unsigned long long>(figures.datagrams_dropped));
    return ending == dunlin_asio::HostLoop::Ending::drained ? 0 : 1;
}

}  // namespace demo
