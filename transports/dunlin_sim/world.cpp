#include <dunlin_sim/world.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/node/formatter.hpp>

#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

namespace dunlin::sim {

struct FormatRequest {
    StorageId storage{};
    bool init = false;
    ledger::Bootstrap bootstrap{};
};

namespace {

// A packet's own checksum (bytes 4 to 7 of its header, see wire.fbs) stands for its content in the run's hash.
std::uint32_t checksum_of(std::span<const std::byte> packet) {
    std::uint32_t checksum = 0;
    if (packet.size() >= 8) std::memcpy(&checksum, &packet[4], 4);
    return checksum;
}

void tell_assertion(const char* file, int line, const char* expression) {
    std::fprintf(stderr, "dunlin: assertion failed: %s:%d: %s\n", file, line, expression);
}

}  // namespace

World::World(std::uint64_t seed, std::size_t processes_max)
    : seeds_(seed),
      queue_(seeds_.next_u64()),
      network_(seeds_.next_u64(), processes_max, queue_),
      disks_(seeds_.next_u64()),
      processes_random_(seeds_.next_u64()),
      workload_(seeds_.next_u64()),
      processes_max_(processes_max) {
    // Words before the end, unless somebody else sees to that.
    if (const AssertionHook before = set_assertion_hook(tell_assertion); before != nullptr) set_assertion_hook(before);
}

void World::refuse(std::size_t process, const std::string& why) const {
    throw Misuse("dunlin::sim: process " + std::to_string(process) + " " + why + " (there are " + std::to_string(processes_.size()) + ")");
}

// One multiplication a value (the constant is 2^64 divided by the golden ratio): this runs for every event.
void World::mix(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15U;
    hash_ ^= hash_ >> 32U;
}

// ---- Processes --------------------------------------------------------------------------------------------------------

std::size_t World::add(ProcessSetup setup) {
    if (processes_.size() != size_) refuse(processes_.size(), "would come after an outsider");
    const std::size_t process = add_outsider(std::move(setup));
    ++size_;
    return process;
}

std::size_t World::add_outsider(ProcessSetup setup) {
    const std::size_t process = processes_.size();
    if (process >= processes_max_) refuse(process, "is one more than World's processes_max");
    if (!setup.memory) refuse(process, "has no memory: set ProcessSetup::memory, such as holder_of<limits::small>()");
    processes_.push_back(std::make_unique<Process>(std::move(setup), disks_.next_u64()));
    return process;
}

void World::format(std::size_t index, const FormatRequest& request) {
    Process& process = known(index);
    // As small as it can be: a journal is opened with a buffer at least as long as it was written with.
    std::vector<std::byte> buffer(request.bootstrap.voters.size() > 5 ? 640 : 512);
    Counters counters;
    journal::Journal journal({buffer}, counters);
    FormatPlan plan;
    plan.node = process.setup.options.id;
    plan.storage = request.storage;
    plan.stream = StreamId{processes_random_.next_nonzero_u64()};
    plan.cluster = process.setup.options.cluster;
    plan.init = request.init;
    plan.bootstrap = request.bootstrap;
    Formatter formatter(journal, plan);
    const Status begun = formatter.begin(process.setup.disk_bytes);
    if (begun != Status::ok) refuse(index, "has a disk that cannot be formatted: " + std::string(to_string(begun)));
    while (!formatter.done()) {
        const auto op = formatter.poll_op();
        DUNLIN_ASSERT(op.has_value());
        std::size_t bytes = 0;
        formatter.on_complete(op->id, process.disk.run(*op, bytes));
    }
    DUNLIN_ASSERT(formatter.status() == Status::ok);
}

void World::found_cluster(std::span<const std::size_t> voters, const LedgerLimits& limits, std::uint32_t voter_rate_ppm) {
    std::vector<ledger::MemberRow> rows;
    for (const std::size_t voter : voters) {
        const std::string address = address_of(voter);
        const StorageId storage{processes_random_.next_nonzero_u64()};
        rows.push_back(ledger::voter_row(known(voter).setup.options.id, storage, std::as_bytes(std::span(address))));
    }
    for (std::size_t i = 0; i < voters.size(); ++i) {
        FormatRequest request;
        request.storage = StorageId{rows[i].storage};
        request.init = i == 0;
        request.bootstrap.incarnation = ClusterIncarnation{processes_random_.next_nonzero_u64()};
        request.bootstrap.limits = limits;
        request.bootstrap.voter_rate_ppm = voter_rate_ppm;
        request.bootstrap.voters = rows;
        format(voters[i], request);
        known(voters[i]).votes = true;
    }
}

void World::format_member(std::size_t process) {
    FormatRequest request;
    request.storage = StorageId{processes_random_.next_nonzero_u64()};
    format(process, request);
}

void World::start(std::size_t index) {
    Process& process = known(index);
    if (process.running()) refuse(index, "runs already");
    if (observed(index)) {
        for (Observer* observer : observers_) observer->on_start(now_, index);
    }
    process.seed_addresses.clear();
    process.seed_views.clear();
    for (const std::size_t seed : process.setup.seeds) {
        static_cast<void>(known(seed));
        process.seed_addresses.push_back(address_of(seed));
    }
    for (const std::string& address : process.seed_addresses) process.seed_views.push_back(address);
    Options options = process.setup.options;
    options.seeds = process.seed_views;
    options.instance = InstanceId{processes_random_.next_nonzero_u64()};
    options.seed = processes_random_.next_u64();
    options.journal_bytes = process.setup.disk_bytes;
    if (!process.memory) process.memory = process.setup.memory();
    process.node = &process.memory->emplace(options);
    process.application = process.setup.application ? process.setup.application() : std::make_unique<Application>();
    process.application_wake = kNever;
    process.timer_at = kNever;
    process.told_to_shut_down = kNever;
    process.paused = false;
    process.disk_busy = false;
    process.doomed = false;
    process.application->on_start(context(index));
    const Status status = process.node->start(process.local(now_));
    if (status != Status::ok) {
        process.node = nullptr;
        process.application.reset();
        refuse(index, "cannot start: " + std::string(to_string(status)));
    }
    pump(index);
}

void World::start_all() {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        if (!processes_[i]->running()) start(i);
    }
}

void World::crash(std::size_t index) {
    const Process& process = known(index);
    if (process.running()) end(index, process.doomed && process.dies_in_sync ? *process.dies_in_sync : Unsynced::any);
}

void World::crash(std::size_t index, Unsynced fate) {
    if (known(index).running()) end(index, fate);
}

void World::shut_down(std::size_t index, Duration limit) {
    Process& process = live(index);
    if (process.told_to_shut_down != kNever) refuse(index, "was told to shut down already");
    process.told_to_shut_down = now_;
    process.node->shutdown(process.local(now_));
    at(now_ + limit, [this, index, life = process.life] {
        if (known(index).life == life) end_shutdown(index);
    });
    touch(index);
}

void World::end_shutdown(std::size_t index) {
    if (shutting_down(index)) end(index, Unsynced::kept);
}

void World::end(std::size_t index, Unsynced fate) {
    Process& process = *processes_[index];
    if (observed(index)) {
        for (Observer* observer : observers_) observer->on_crash(now_, index, *process.node);
    }
    drop_held(index);
    process.disk.crash(fate);
    process.dies_in_sync.reset();
    ++process.life;
    process.node = nullptr;
    process.application.reset();
}

void World::wipe(std::size_t index) {
    if (known(index).running()) refuse(index, "runs: its disk cannot be wiped now");
    known(index).disk.wipe();
}

void World::freeze_clock(std::size_t index) {
    Process& process = known(index);
    process.frozen_since = std::min(process.frozen_since, now_);
}

void World::thaw_clock(std::size_t index) {
    Process& process = known(index);
    if (process.frozen_since == kNever) return;
    process.stood += now_ - process.frozen_since;
    process.frozen_since = kNever;
    if (process.running()) set_timer(index);
}

void World::pause(std::size_t index) { known(index).paused = true; }

void World::resume(std::size_t index) {
    Process& process = known(index);
    if (!process.paused) return;
    process.paused = false;
    if (!process.running()) return;
    queue_.push({.at = now_, .process = static_cast<std::uint32_t>(index), .life = process.life, .what = What::resume});
    for (Occurrence held : process.held) {
        held.at = now_;
        queue_.push(held);
    }
    process.held.clear();
}

// What comes to a paused process waits for it in the kernel: completed disk operations, and datagrams while there is room.
void World::hold(const Occurrence& occurrence) {
    Process& process = *processes_[occurrence.process];
    if (occurrence.what == What::timer) {
        process.timer_at = kNever;
    } else if (occurrence.what == What::datagram && process.held.size() >= kSocketDatagrams) {
        network_.overflowed();
        network_.release(occurrence.payload);
    } else {
        process.held.push_back(occurrence);
    }
}

void World::drop_held(std::size_t index) {
    for (const Occurrence& held : processes_[index]->held) {
        if (held.what == What::datagram) network_.release(held.payload);
    }
    processes_[index]->held.clear();
}

Context World::context(std::size_t index) {
    Process& process = *processes_[index];
    return {*process.node, process.local(now_), process.application_wake};
}

// ---- Time -------------------------------------------------------------------------------------------------------------

void World::at(Instant when, std::function<void()> action) {
    if (free_actions_.empty()) {
        free_actions_.push_back(static_cast<std::uint32_t>(actions_.size()));
        actions_.emplace_back();
    }
    const std::uint32_t place = free_actions_.back();
    free_actions_.pop_back();
    actions_[place] = std::move(action);
    queue_.push({.at = when, .payload = place, .what = What::action});
}

void World::run_for(Duration time) {
    const Instant end = now_ + time;
    while (!queue_.empty() && queue_.next().at <= end) step();
    now_ = end;
}

bool World::run_until(const std::function<bool()>& condition, Duration limit) {
    const Instant end = now_ + limit;
    while (!condition()) {
        if (queue_.empty() || queue_.next().at > end) {
            now_ = end;
            return condition();
        }
        step();
    }
    return true;
}

void World::step() {
    const Occurrence occurrence = queue_.pop();
    DUNLIN_ASSERT(occurrence.at >= now_);
    now_ = occurrence.at;
    if (occurrence.what == What::action) {
        // It may ask for further actions, which moves them all.
        const std::function<void()> action = std::exchange(actions_[occurrence.payload], {});
        free_actions_.push_back(occurrence.payload);
        return action();
    }
    Process& process = *processes_[occurrence.process];
    // A datagram reaches whatever process has the address when it arrives; timers and disks die with theirs.
    const bool alive = process.running() && (occurrence.what == What::datagram || occurrence.life == process.life);
    if (alive && process.paused) return hold(occurrence);
    if (alive && process.lag > Duration{} && !occurrence.lagged && occurrence.what != What::timer) {
        Occurrence later = occurrence;
        later.at = now_ + process.lag;
        later.lagged = true;
        return queue_.push(later);
    }
    if (alive && (occurrence.what != What::timer || note_timer(process, occurrence))) happen(occurrence);
    if (occurrence.what == What::datagram) network_.release(occurrence.payload);
}

// Whether this timer still counts. A node that asks to be woken again and again without any time passing never rests:
// that is a bug of its own.
bool World::note_timer(Process& process, const Occurrence& occurrence) {
    constexpr std::uint32_t kBurstMax = 500;
    if (occurrence.at != process.timer_at) return false;
    process.timer_at = kNever;
    if (now_ - process.burst_since >= milliseconds{1}) {
        process.burst_since = now_;
        process.burst = 0;
    }
    DUNLIN_ASSERT(++process.burst <= kBurstMax);
    return true;
}

void World::happen(const Occurrence& occurrence) {
    Process& process = *processes_[occurrence.process];
    const Instant local = process.local(now_);
    ++events_;
    mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    switch (occurrence.what) {
        case What::datagram: {
            const auto bytes = network_.bytes(occurrence.payload);
            network_.delivered();
            mix(std::uint64_t{occurrence.process} << 40U | std::uint64_t{checksum_of(bytes)} << 8U |
                static_cast<std::uint64_t>(occurrence.what));
            const std::uint32_t from = network_.sender(occurrence.payload);
            if (observed(occurrence.process) && observed(from)) {
                for (Observer* observer : observers_) observer->on_receive(now_, occurrence.process, from, bytes);
            }
            process.node->on_datagram(local, PathId{from + 1}, {}, bytes);
            break;
        }
        case What::disk: finish_disk_operation(occurrence.process); break;
        case What::timer:
        case What::resume:
            mix(std::uint64_t{occurrence.process} << 40U | static_cast<std::uint64_t>(occurrence.what));
            if (process.node->next_deadline() <= local) process.node->on_timeout(local);
            if (process.application_wake <= local) {
                process.application_wake = kNever;
                process.application->on_timer(context(occurrence.process));
            }
            break;
        case What::action: break;
    }
    pump(occurrence.process);
}

// ---- What a node wants after each input ---------------------------------------------------------------------------------

void World::pump(std::size_t index) {
    if (!processes_[index]->running() || dies(index)) return;
    connect(index);
    report_events(index);
    start_disk_operation(index);
    if (dies(index)) return;
    if (transmit(index)) report_events(index);  // a goodbye that leaves ends its session
    if (observed(index)) {
        for (Observer* observer : observers_) observer->on_step(now_, index, *processes_[index]->node);
    }
    if (!leaves(index)) set_timer(index);
}

bool World::dies(std::size_t index) {
    if (!processes_[index]->doomed) return false;
    crash(index);
    return true;
}

bool World::leaves(std::size_t index) {
    const Process& process = *processes_[index];
    if (process.told_to_shut_down == kNever || !process.node->drained()) return false;
    if (observed(index) && !process.node->failed()) {
        for (Observer* observer : observers_) observer->on_drained(now_, index, *process.node, now_ - process.told_to_shut_down);
    }
    end(index, Unsynced::kept);
    return true;
}

void World::connect(std::size_t index) {
    Process& process = *processes_[index];
    while (const auto dial = process.node->poll_connect()) {
        const std::string_view address(reinterpret_cast<const char*>(dial->address.data()), dial->address.size());
        PathUpdate update{PathState::down, dial->id};
        PathId path{};
        for (std::size_t other = 0; other < processes_.size(); ++other) {
            if (address != address_of(other)) continue;
            update.state = PathState::up;
            path = PathId{static_cast<std::uint32_t>(other + 1)};
        }
        process.node->on_path(process.local(now_), path, update);
    }
}

void World::report_events(std::size_t index) {
    Process& process = *processes_[index];
    while (const auto event = process.node->poll_event()) {
        mix(std::uint64_t{static_cast<std::uint8_t>(event->kind)} << 32U | event->node.value());
        if (observed(index)) {
            for (Observer* observer : observers_) observer->on_event(now_, index, *process.node, *event);
        }
        process.application->on_event(context(index), *event);
    }
}

// Reads and writes are through at once, as into a page cache; a sync takes its time.
void World::start_disk_operation(std::size_t index) {
    Process& process = *processes_[index];
    while (!process.disk_busy) {
        const auto op = process.node->poll_journal();
        if (!op) return;
        process.op = *op;
        if (op->kind == journal::DeviceOp::Kind::sync) {
            if (process.dies_in_sync) process.doomed = true;
            process.disk_busy = true;
            const Duration latency =
                process.sync_stall + processes_random_.between(process.setup.sync_time_min, process.setup.sync_time_max);
            queue_.push({.at = now_ + latency, .process = static_cast<std::uint32_t>(index), .life = process.life, .what = What::disk});
            return;
        }
        finish_disk_operation(index);
    }
}

void World::finish_disk_operation(std::size_t index) {
    Process& process = *processes_[index];
    std::size_t bytes = 0;
    const Status status = process.disk.run(process.op, bytes);
    mix(std::uint64_t{index} << 40U | process.op.offset << 8U | static_cast<std::uint64_t>(What::disk));
    process.disk_busy = false;
    process.node->on_journal(process.local(now_), process.op.id, status, bytes);
}

bool World::transmit(std::size_t index) {
    Process& process = *processes_[index];
    bool any = false;
    const Instant local = process.local(now_);
    while (const auto out = process.node->poll_transmit(local, packet_)) {
        const std::size_t to = out->path.value() - 1;
        DUNLIN_ASSERT(to < processes_.size());
        const std::span<const std::byte> bytes = std::span(packet_).first(out->bytes);
        if (observed(index) && observed(to)) {
            for (Observer* observer : observers_) observer->on_send(now_, index, to, bytes);
        }
        network_.send(now_, static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(to), processes_[to]->life, bytes);
        any = true;
    }
    return any;
}

void World::set_timer(std::size_t index) {
    Process& process = *processes_[index];
    const Instant wake = std::min(process.node->next_deadline(), process.application_wake);
    if (wake == kNever) return;
    const Instant first = process.true_time(wake);
    if (first == kNever) return;
    const Instant when = std::max(first, now_ + Duration{1}) + process.lag;
    if (when >= process.timer_at) return;
    process.timer_at = when;
    queue_.push({.at = when, .process = static_cast<std::uint32_t>(index), .life = process.life, .what = What::timer});
}

}  // namespace dunlin::sim
