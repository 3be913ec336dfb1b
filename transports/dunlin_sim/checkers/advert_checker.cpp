#include <dunlin_sim/checkers/advert_checker.hpp>

#include <dunlin_sim/checkers/sent_records.hpp>

#include <string>

namespace dunlin::sim {

AdvertChecker::AdvertChecker(World& world, Verdict& verdict)
    : world_(world), back_off_(verdict.expect("advertisements back off", Verdict::Occasion::rare)), verdict_(verdict) {}

void AdvertChecker::on_event(std::size_t process, const Event& event) {
    if (event.kind != EventKind::session_opened) return;
    for (auto& [who, said] : said_) {
        if (who.first == process && world_.process(who.second).setup.options.id == event.node) said.last.clear();
    }
}

void AdvertChecker::on_send(Instant at, std::size_t process, std::size_t to, std::span<const std::byte> bytes) {
    Said& said = said_[{process, to}];
    const std::uint64_t session = wire::load<wire::PacketHeader>(bytes).session();
    if (said.session != session) said = {session, {}};
    const Instant now = world_.local_now(process);
    for_each_record(bytes, [&](const wire::Record& record) {
        if (record.type != wire::RecordType::subscribe && record.type != wire::RecordType::unsubscribe) return;
        const std::uint32_t generation = record.as<wire::Unsubscribe>().generation();  // the same place in both
        const bool first = !said.last.contains(generation);
        Instant& last = said.last[generation];
        const Duration pause = now - last;
        verdict_.check(back_off_, first || pause >= kPauseMin, at, [&] {
            return "process " + std::to_string(process) + " tells process " + std::to_string(to) + " again what it listens to, " +
                   std::to_string(pause.count()) + " us after the last time";
        });
        last = now;
    });
}

}  // namespace dunlin::sim
