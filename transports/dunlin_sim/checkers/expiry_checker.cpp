#include <dunlin_sim/checkers/expiry_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <string>

namespace dunlin::sim {

ExpiryChecker::ExpiryChecker(World& world, Verdict& verdict, Duration lifetime)
    : world_(world),
      verdict_(verdict),
      lifetime_(lifetime),
      over_(verdict.expect("no handler gets what is over")),
      grows_(verdict.expect("no lifetime grows")) {
    world.observe(*this);
}

ExpiryChecker::Arrivals& ExpiryChecker::arrivals(std::size_t process, std::size_t from, std::size_t lane) {
    const std::size_t all = world_.size() * world_.size() * kLanesMax;
    if (arrivals_.size() < all) arrivals_.resize(all);
    return arrivals_[(process * world_.size() + from) * kLanesMax + lane];
}

void ExpiryChecker::on_receive(Instant, std::size_t process, std::size_t from, std::span<const std::byte> bytes) {
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::run) return;
        on_run(world_.local_now(process), arrivals(process, from, record.as<wire::Run>().lane() % kLanesMax), record);
    });
}

void ExpiryChecker::on_run(Instant now, Arrivals& arrivals, const wire::Record& record) {
    if (arrivals.empty()) arrivals.resize(kArrivedMax);
    for_each_message(record, [&](const SentMessage& message) {
        const std::uint64_t sequence = message.sequence;
        const std::int64_t left_ms = std::int64_t{message.head.lifetime()} << std::min<unsigned>(message.head.lifetime_shift(), 40U);
        const Instant expires = left_ms == 0 ? kNever : now + milliseconds{left_ms};
        Arrived& known = arrivals[sequence % kArrivedMax];
        const Duration left = milliseconds{left_ms};
        const bool again = known.sequence == sequence;
        known = {sequence, again ? std::max(known.expires, expires) : expires, again ? std::min(known.left, left) : left};
    });
}

void ExpiryChecker::handled(Instant at, std::size_t process, NodeId publisher, Lane lane, Sequence sequence) {
    for (std::size_t from = 0; from < world_.size(); ++from) {
        if (world_.process(from).setup.options.id != publisher) continue;
        const Arrivals& all = arrivals(process, from, index_of(lane));
        if (all.empty() || all[sequence.value() % kArrivedMax].sequence != sequence.value()) continue;
        const Instant expires = all[sequence.value() % kArrivedMax].expires;
        const Duration left = all[sequence.value() % kArrivedMax].left;
        if (expires == kNever) continue;
        verdict_.check(grows_, left <= lifetime_, at, [&] {
            return "process " + std::to_string(process) + " runs number " + std::to_string(sequence.value()) + " of process " +
                   std::to_string(from) + ", which came with " + std::to_string(to_us(left)) + " us to live and was given " +
                   std::to_string(to_us(lifetime_));
        });
        const Instant now = world_.local_now(process);
        verdict_.check(over_, now < expires, at, [&] {
            return "process " + std::to_string(process) + " runs number " + std::to_string(sequence.value()) + " of process " +
                   std::to_string(from) + " " + std::to_string((now - expires).count()) + " us after its lifetime";
        });
    }
}

}  // namespace dunlin::sim
