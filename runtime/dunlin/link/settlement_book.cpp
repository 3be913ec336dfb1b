#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>
#include <dunlin/core/low_half.hpp>
#include <dunlin/link/settlement_book.hpp>
#include <dunlin/wire/record.hpp>

#include <algorithm>

namespace dunlin::link {
namespace {

// False, with nothing changed, when the record is not as long as its head says.
bool read_head(std::span<const std::byte> record, WatermarkHead& head) {
    WatermarkHead read;
    if (!take(record, read)) return false;
    if (read.lane >= kLanesMax || record.size() != read.words * sizeof(std::uint64_t) + read.notes * sizeof(WatermarkNote)) return false;
    head = read;
    return true;
}

bool is_exception(std::uint8_t outcome) {
    return outcome > static_cast<std::uint8_t>(Outcome::acknowledged) && outcome <= static_cast<std::uint8_t>(Outcome::skipped);
}

}  // namespace

SettlementBook::SettlementBook(const SettlementStorage& storage, Lane lane)
    : live_(storage.bits.first(storage.bits.size() / 3)),
      appended_(storage.bits.subspan(storage.bits.size() / 3, storage.bits.size() / 3)),
      reported_(storage.bits.last(storage.bits.size() / 3)),
      notes_(storage.notes.data()),
      note_capacity_(static_cast<std::uint8_t>(storage.notes.size())),
      lane_(lane) {
    DUNLIN_ASSERT(storage.notes.size() <= 255);
}

void SettlementBook::start(StreamId stream, Sequence cumulative) {
    live_.reset(cumulative);
    reported_.reset(cumulative);
    std::ranges::fill(notes(), SettlementNote{});
    notes_used_ = 0;
    stream_ = stream;
    changed_ = stream != StreamId{};
    appended_pending_ = false;
    owe();
}

void SettlementBook::settle(Sequence sequence, Outcome outcome, Effect effect) {
    const bool added = live_.add(sequence);
    DUNLIN_ASSERT(added);
    changed_ = true;
    if (!journalled_) owe();
    if (outcome == Outcome::acknowledged) return;
    DUNLIN_ASSERT(note_fits());
    for (SettlementNote& note : notes()) {
        if (note.outcome != Outcome::none) continue;
        note = {.sequence_low = static_cast<std::uint32_t>(sequence.value()), .outcome = outcome, .effect = effect};
        ++notes_used_;
        return;
    }
}

void SettlementBook::settle_up_to(Sequence last) {
    DUNLIN_ASSERT(last > live_.cumulative());
    live_.raise(last);
    changed_ = true;
    if (!journalled_) owe();
}

void SettlementBook::free_notes_up_to(Sequence cumulative) {
    for (SettlementNote& note : notes()) {
        if (note.outcome == Outcome::none || sequence_of(note) > cumulative) continue;
        note = {};
        --notes_used_;
    }
}

void SettlementBook::raise(Sequence cumulative) {
    if (cumulative > live_.cumulative()) {
        free_notes_up_to(cumulative);
        live_.raise(cumulative);
        changed_ = true;
    }
    // It is the publisher's own word: nothing is promised by repeating it.
    reported_.raise(cumulative);
    owe();
}

std::size_t SettlementBook::encode(NodeId publisher, std::span<std::byte> out) const {
    const std::size_t words = live_.words_used();
    const std::size_t size = out.size();
    DUNLIN_ASSERT(size >= sizeof(WatermarkHead) + words * 8 + notes_used_ * sizeof(WatermarkNote));
    put(out, WatermarkHead{stream_.value(), live_.cumulative().value(), publisher.value(), static_cast<std::uint16_t>(words), notes_used_,
                           static_cast<std::uint16_t>(index_of(lane_))});
    for (std::size_t w = 0; w < words; ++w) put(out, live_.word(w));
    for (const SettlementNote& note : notes()) {
        if (note.outcome == Outcome::none) continue;
        put(out, WatermarkNote{note.sequence_low, static_cast<std::uint8_t>(note.outcome), static_cast<std::uint8_t>(note.effect), 0});
    }
    return size - out.size();
}

void SettlementBook::appended(JournalSequence gate) {
    appended_.assign(live_);
    gate_ = gate;
    changed_ = false;
    appended_pending_ = true;
}

void SettlementBook::on_durable(JournalSequence durable) {
    if (!appended_pending_ || gate_ > durable) return;
    appended_pending_ = false;
    const Sequence stated = reported_.cumulative();
    reported_.assign(appended_);
    reported_.raise(stated);
    owe();
}

NodeId watermark_publisher(std::span<const std::byte> record) {
    WatermarkHead head;
    return read_head(record, head) ? NodeId{head.publisher} : NodeId{};
}

std::size_t watermark_lane(std::span<const std::byte> record) {
    WatermarkHead head;
    const bool whole = read_head(record, head);
    DUNLIN_ASSERT(whole);
    return head.lane;
}

bool SettlementBook::restore(std::span<const std::byte> record) {
    WatermarkHead head;
    if (!read_head(record, head) || head.stream == 0 || head.words > live_.words() || head.notes > note_capacity_) return false;
    start(StreamId{head.stream}, Sequence{head.cumulative});
    record = record.subspan(sizeof(head));
    for (std::size_t w = 0; w < head.words; ++w) {
        std::uint64_t bits = 0;
        if (!take(record, bits)) return false;
        for (std::uint64_t i = 0; i < 64; ++i) {
            if ((bits >> i & 1U) != 0) (void)live_.add(Sequence{head.cumulative + 1 + 64 * w + i});
        }
    }
    for (std::size_t n = 0; n < head.notes; ++n) {
        WatermarkNote note;
        if (!take(record, note) || !is_exception(note.outcome)) return false;
        notes_[n] = {.sequence_low = note.sequence_low,
                     .outcome = static_cast<Outcome>(note.outcome),
                     .effect = note.effect == 0 ? Effect::none : Effect::unknown};
        ++notes_used_;
    }
    reported_.assign(live_);
    changed_ = false;
    return true;
}

bool SettlementBook::tells(const SettlementNote& note) const {
    return note.outcome != Outcome::none && sayable().contains(sequence_of(note));
}

bool SettlementBook::write(std::uint32_t number_low, Credit credit, wire::PacketWriter& writer) {
    const SettledSet& set = sayable();
    const std::size_t words = set.words_used();
    const auto told = static_cast<std::size_t>(std::ranges::count_if(notes(), [this](const auto& note) { return tells(note); }));
    if (writer.room() < sizeof(wire::Settlement) + words * 8 + told * sizeof(wire::SettlementException)) return false;
    const wire::Settlement fixed(stream_.value(), set.cumulative().value(), static_cast<std::uint8_t>(index_of(lane_)),
                                 static_cast<std::uint8_t>(told), static_cast<std::uint16_t>(words), credit.messages, credit.units);
    if (!writer.begin(wire::RecordType::settlement, fixed)) return false;
    bool fits = true;
    for (std::size_t w = 0; w < words; ++w) {
        const std::uint64_t bits = set.word(w);
        fits = writer.append(bytes_of(bits)) && fits;
    }
    for (SettlementNote& note : notes()) {
        if (!tells(note)) continue;
        const wire::SettlementException exception(sequence_of(note).value(), static_cast<std::uint8_t>(note.outcome),
                                                  static_cast<std::uint8_t>(note.effect), 0, 0);
        fits = writer.append(bytes_of(exception)) && fits;
        note.told_low = number_low;
        note.told = true;
    }
    DUNLIN_ASSERT(fits);
    writer.end();
    owed_ = false;
    return true;
}

bool SettlementBook::on_packet_acked(const SentPacket& packet) {
    if (!packet.settlement) return false;
    const std::uint8_t before = notes_used_;
    for (SettlementNote& note : notes()) {
        if (note.outcome == Outcome::none || !note.told || note.told_low != packet.number_low) continue;
        note = {};
        --notes_used_;
    }
    return notes_used_ < before;
}

void SettlementBook::session_opened() {
    for (SettlementNote& note : notes()) note.told = false;
    owe();
}

// Notes lie at most a window from the live cumulative sequence.
Sequence SettlementBook::sequence_of(const SettlementNote& note) const {
    return Sequence{widened(note.sequence_low, live_.cumulative().value())};
}

}  // namespace dunlin::link
