// The part of LaneSender that hears what the peer has settled.
#include <dunlin/core/limits.hpp>
#include <dunlin/link/lane_sender.hpp>

#include <bit>
#include <cstring>

namespace dunlin::link {

bool LaneSender::settlement_sane(const wire::Settlement& settlement, std::span<const std::byte> bytes) const {
    const std::size_t bitmap = std::size_t{settlement.bitmap_words()} * sizeof(std::uint64_t);
    if (settlement.lane() != index_of(lane_) || settlement.cumulative() >= next().value() || settlement.bitmap_words() > kUnsettledMax / 64)
        return false;
    if (bytes.size() < bitmap + settlement.exception_count() * sizeof(wire::SettlementException)) return false;
    for (std::size_t i = 0; i < settlement.exception_count(); ++i) {
        const auto exception = wire::load<wire::SettlementException>(bytes.subspan(bitmap + i * sizeof(wire::SettlementException)));
        if (exception.outcome() <= static_cast<std::uint8_t>(Outcome::acknowledged) ||
            exception.outcome() > static_cast<std::uint8_t>(Outcome::skipped)) {
            return false;
        }
    }
    return true;
}

bool LaneSender::on_settlement(const wire::Record& record) {
    const auto settlement = record.as<wire::Settlement>();
    if (StreamId{settlement.stream()} != stream_) return true;  // of an earlier numbering
    if (!settlement_sane(settlement, record.bytes)) {
        shared_->counters.add(Counter::records_malformed);
        return false;
    }
    shared_->counters.add(Counter::settlements_received);
    common_->credit.state({settlement.credit_messages(), settlement.credit_units()}, shared_->self.reading);
    const std::size_t bitmap = std::size_t{settlement.bitmap_words()} * sizeof(std::uint64_t);
    for (std::size_t i = 0; i < settlement.exception_count(); ++i) {
        const auto exception = wire::load<wire::SettlementException>(record.bytes.subspan(bitmap + i * sizeof(wire::SettlementException)));
        const std::uint64_t offset = exception.sequence() - first_.value();
        if (offset >= ring_.size()) continue;
        const auto outcome = static_cast<Outcome>(exception.outcome());
        settle(static_cast<std::uint32_t>(offset), outcome == Outcome::skipped ? Outcome::expired : outcome,
               exception.effect() == 0 ? Effect::none : Effect::unknown);
    }
    if (behind_count_ > 0 && settlement.cumulative() + 1 >= behind_end().value()) {
        behind_count_ = 0;
        behind_owed_ = false;
    }
    settle_bitmap(settlement.cumulative() + 1, record.bytes.first(bitmap));
    if (settlement.cumulative() >= first_.value()) {
        const std::uint64_t count = settlement.cumulative() - first_.value() + 1;
        for (std::uint32_t i = 0; i < count; ++i) settle(i, Outcome::acknowledged, Effect::none);
    }
    pop_settled();
    return true;
}

void LaneSender::settle_bitmap(std::uint64_t first, std::span<const std::byte> words) {
    for (; !words.empty(); words = words.subspan(sizeof(std::uint64_t)), first += 64) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, words.data(), sizeof(bits));
        for (; bits != 0; bits &= bits - 1) {
            const std::uint64_t offset = first + static_cast<unsigned>(std::countr_zero(bits)) - first_.value();
            if (offset < ring_.size()) settle(static_cast<std::uint32_t>(offset), Outcome::acknowledged, Effect::none);
        }
    }
}

void LaneSender::settle(std::uint32_t offset, Outcome outcome, Effect effect) {
    std::uint16_t& entry = ring_[offset];
    if (entry == kSettled || is_part(entry)) return;
    if (!is_delivery(entry)) {
        if (entry == kHoleOwed) --skips_;
        entry = kSettled;
        return;
    }
    const std::uint16_t index = entry;
    Delivery& delivery = shared_->outbox.delivery(index);
    const std::uint32_t places = fragments(index);
    // A peer that settles what it cannot have seen is not believed. It may refuse a message by its first fragment.
    const bool all_sent = first_.value() + offset + places <= unsent_.value();
    if (!delivery.sent || (outcome == Outcome::acknowledged && !all_sent)) return;
    // The process of the peer that says so does not know what an earlier one did.
    if (delivery.maybe_repeated && outcome != Outcome::acknowledged) effect = Effect::unknown;
    leave_state(delivery.state);
    give_back(delivery);
    entry = kSettled;
    set_parts(offset, places, kHoleOwed);
    resolve(index, outcome, effect);
    pass_holes();
}

void LaneSender::pop_settled() {
    std::uint32_t popped = 0;
    while (!ring_.empty() && ring_.front() == kSettled) {
        ring_.pop();
        ++popped;
    }
    if (popped > 0) {  // the peer takes something
        pausing_ = pass_ = skips_held_ = false;
        lost_ = 0;
    }
    first_ = first_.plus(popped);
    unsent_ = std::max(unsent_, first_);
    resend_from_ = static_cast<std::uint16_t>(resend_from_ - std::min<std::uint32_t>(resend_from_, popped));
    skip_from_ = static_cast<std::uint16_t>(skip_from_ - std::min<std::uint32_t>(skip_from_, popped));
    missing_from_ = static_cast<std::uint16_t>(missing_from_ - std::min<std::uint32_t>(missing_from_, popped));
}

}  // namespace dunlin::link
