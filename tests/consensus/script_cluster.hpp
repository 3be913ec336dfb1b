#pragma once

#include "consensus/voter_process.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin::consensus::test {

// A cluster in which nothing moves but what a script's steps move: each packet waits to be delivered or dropped, each node has
// a clock of its own that stands still, and each disk finishes at once unless it was stopped.
class ScriptCluster {
  public:
    // Nodes 1..voters are the founding voters, the others up to `nodes` have blank journals. `log_entries`: of each one's ring.
    ScriptCluster(std::size_t voters, std::size_t nodes, std::size_t log_entries);

    // One step, without its expectation; what it prints, a line each: an answer, and the state of each node that it changed.
    // A step that is not understood prints "? " and why.
    std::vector<std::string> run(const std::vector<std::string>& words);

  private:
    struct Host {
        StorageId storage{};
        std::unique_ptr<MemoryDevice> device;
        std::unique_ptr<VoterProcess> process;
        Instant clock{};
        bool disk_stopped = false;
        bool cut = false;
        std::string shown;
    };
    struct Packet {
        StorageId from{};
        std::vector<std::byte> bytes;
    };
    struct Read {
        std::size_t number;
        std::size_t host;
        ReadTicket ticket;
    };
    using Way = std::pair<std::size_t, std::size_t>;

    void boot(std::size_t i);
    void after_input(std::size_t i);
    void send(std::size_t i);
    void deliver(const Way& way);
    void wait(std::size_t i, Duration duration);
    void deliver_all();
    void look_at_reads();
    [[nodiscard]] std::string state(std::size_t i) const;
    [[nodiscard]] bool known(std::size_t i) const { return i >= 1 && i <= hosts_.size(); }
    [[nodiscard]] bool up(std::size_t i) const { return hosts_[i - 1].process != nullptr; }
    [[nodiscard]] Host& host(std::size_t i) { return hosts_[i - 1]; }
    [[nodiscard]] Consensus& voter(std::size_t i) { return host(i).process->consensus; }
    void say(std::string line) { said_.push_back(std::move(line)); }
    void do_step(const std::vector<std::string>& words);
    void on_time(const std::vector<std::string>& words);
    void on_network(const std::vector<std::string>& words);
    void on_machine(const std::vector<std::string>& words);
    void on_use(const std::vector<std::string>& words);
    void change_members(std::size_t i, const std::vector<std::string>& words);
    [[nodiscard]] std::string members(const Consensus& raft) const;
    void show_packets(const std::vector<std::string>& words);

    std::size_t log_entries_;
    std::vector<Member> founders_;
    std::vector<Host> hosts_;
    std::map<Way, std::deque<Packet>> packets_;
    std::vector<Read> reads_;
    std::size_t reads_begun_ = 0;
    std::vector<std::string> said_;
};

}  // namespace dunlin::consensus::test
