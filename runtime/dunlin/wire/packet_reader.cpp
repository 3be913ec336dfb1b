#include <dunlin/wire/packet_reader.hpp>

#include <dunlin/core/padding.hpp>
#include <dunlin/wire/packet_checksum.hpp>

namespace dunlin::wire {
namespace {

// A new type in wire.fbs does not compile here (-Wswitch) until it is listed.
bool known(RecordType type) {
    switch (type) {
        case RecordType::hello:
        case RecordType::hello_refused:
        case RecordType::lane_state:
        case RecordType::goodbye:
        case RecordType::ack:
        case RecordType::ping:
        case RecordType::run:
        case RecordType::settlement:
        case RecordType::skip:
        case RecordType::alias_declare:
        case RecordType::subscribe:
        case RecordType::unsubscribe:
        case RecordType::subscriptions_acked:
        case RecordType::heartbeat:
        case RecordType::vote_request:
        case RecordType::vote_reply:
        case RecordType::append:
        case RecordType::append_reply:
        case RecordType::snapshot_chunk:
        case RecordType::snapshot_reply:
        case RecordType::timeout_now:
        case RecordType::command:
        case RecordType::command_reply:
        case RecordType::renew:
        case RecordType::renew_reply:
        case RecordType::read:
        case RecordType::read_reply:
        case RecordType::voter_set: return true;
        case RecordType::none: return false;
    }
    return false;
}

// Bytes that the record at the start of `rest` takes with its padding; 0 if it is malformed.
std::size_t record_span(std::span<const std::byte> rest) {
    if (rest.size() < kRecordHeadBytes) return 0;
    const auto head = load<RecordHead>(rest);
    if (head.type() == 0 || head.length() < kRecordHeadBytes + head.fixed_length()) return 0;
    const std::size_t padded = padded_to<kRecordAlignment>(head.length());
    if (padded > rest.size()) return 0;
    for (std::size_t i = head.length(); i < padded; ++i) {
        if (rest[i] != std::byte{0}) return 0;
    }
    return padded;
}

bool well_formed(std::span<const std::byte> rest) {
    while (!rest.empty()) {
        const std::size_t taken = record_span(rest);
        if (taken == 0) return false;
        rest = rest.subspan(taken);
    }
    return true;
}

}  // namespace

std::optional<PacketReader> PacketReader::open(std::span<const std::byte> bytes, Counters& counters) {
    const auto refuse = [&counters](Counter reason) -> std::optional<PacketReader> {
        counters.add(reason);
        return std::nullopt;
    };
    if (bytes.size() < kHeaderBytes) return refuse(Counter::packets_truncated);
    const auto header = load<PacketHeader>(bytes);
    if (header.magic() != kMagic) return refuse(Counter::packets_bad_magic);
    if (header.version() != kVersion) return refuse(Counter::packets_bad_version);
    if (header.crc32c() != packet_checksum(bytes)) return refuse(Counter::packets_corrupt);
    if (header.source() == 0 || !well_formed(bytes.subspan(kHeaderBytes))) return refuse(Counter::packets_malformed);
    return PacketReader(header, bytes, counters);
}

bool PacketReader::next(Record& record) {
    while (!rest_.empty()) {
        const auto head = load<RecordHead>(rest_);
        const std::span<const std::byte> content = rest_.first(head.length()).subspan(kRecordHeadBytes);
        rest_ = rest_.subspan(padded_to<kRecordAlignment>(head.length()));
        record.type = static_cast<RecordType>(head.type());
        if (known(record.type)) {
            record.fixed = content.first(head.fixed_length());
            record.bytes = content.subspan(head.fixed_length());
            return true;
        }
        counters_->add(Counter::records_unknown);
    }
    record = Record{};
    return false;
}

}  // namespace dunlin::wire
