#include <dunlin/core/assert.hpp>
#include <dunlin/ledger/commands.hpp>
#include <dunlin/wire/record.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::ledger {
namespace {

struct AcquireHead {
    std::uint32_t ttl_us;
    std::uint32_t holder_epoch;
};
struct ReleaseHead {
    std::uint64_t token;
};
struct PutHead {
    std::uint8_t name_length;
    std::uint8_t reserved;
    std::uint16_t value_length;
};
static_assert(sizeof(AcquireHead) == 8 && sizeof(ReleaseHead) == 8 && sizeof(PutHead) == 4);
static_assert(kPutBytesMax == sizeof(PutHead) + kKeyNameBytesMax + kValueBytesMax);
static_assert(wire::WireStruct<OpenSessionCommand> && wire::WireStruct<CommandHead> && wire::WireStruct<RenewalsHead> &&
              wire::WireStruct<FeatureEntry> && wire::WireStruct<BootstrapHead>);

std::span<const std::byte> bytes_of_text(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string_view text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// The parts one after the other at the start of `out`, or nothing where they do not fit.
std::span<const std::byte> join(std::span<std::byte> out, std::span<const std::byte> head, std::span<const std::byte> middle,
                                std::span<const std::byte> tail = {}) {
    const std::size_t length = head.size() + middle.size() + tail.size();
    if (length > out.size()) return {};
    std::ranges::copy(tail, std::ranges::copy(middle, std::ranges::copy(head, out.begin()).out).out);
    return out.first(length);
}

bool valid_name(std::string_view name, std::size_t bytes_max) { return !name.empty() && name.size() <= bytes_max; }

}  // namespace

std::size_t encoded_bytes(const AcquireCommand& command) { return sizeof(AcquireHead) + command.name.size(); }
std::size_t encoded_bytes(const ReleaseCommand& command) { return sizeof(ReleaseHead) + command.name.size(); }
std::size_t encoded_bytes(const PutCommand& command) { return sizeof(PutHead) + command.key.size() + command.value.size(); }

std::span<const std::byte> encode(const AcquireCommand& command, std::span<std::byte> out) {
    const AcquireHead head{static_cast<std::uint32_t>(to_us(command.ttl)), command.holder_epoch.value()};
    return join(out, bytes_of(head), bytes_of_text(command.name));
}

std::span<const std::byte> encode(const ReleaseCommand& command, std::span<std::byte> out) {
    const ReleaseHead head{command.token.value()};
    return join(out, bytes_of(head), bytes_of_text(command.name));
}

std::span<const std::byte> encode(const PutCommand& command, std::span<std::byte> out) {
    const PutHead head{static_cast<std::uint8_t>(command.key.size()), 0, static_cast<std::uint16_t>(command.value.size())};
    return join(out, bytes_of(head), bytes_of_text(command.key), command.value);
}

bool decode(std::span<const std::byte> body, OpenSessionCommand& command) { return take(body, command) && body.empty(); }

bool decode(std::span<const std::byte> body, AcquireCommand& command) {
    AcquireHead head{};
    if (!take(body, head)) return false;
    command = {text_of(body), from_us(head.ttl_us), BootEpoch{head.holder_epoch}};
    return valid_name(command.name, kLeaseNameBytesMax) && command.ttl >= kLeaseTtlMin && command.ttl <= kLeaseTtlMax;
}

bool decode(std::span<const std::byte> body, ReleaseCommand& command) {
    ReleaseHead head{};
    if (!take(body, head)) return false;
    command = {text_of(body), Token{head.token}};
    return valid_name(command.name, kLeaseNameBytesMax) && head.token != 0;
}

bool decode(std::span<const std::byte> body, PutCommand& command) {
    PutHead head{};
    if (!take(body, head) || head.reserved != 0) return false;
    if (body.size() != std::size_t{head.name_length} + head.value_length) return false;
    command = {text_of(body.first(head.name_length)), body.subspan(head.name_length)};
    return valid_name(command.key, kKeyNameBytesMax);
}

Status check(const MemberCommand& command) {
    bool sound = command.change.node != 0;
    switch (static_cast<consensus::ChangeOp>(command.change.op)) {
        case consensus::ChangeOp::add_learner:
            sound = sound && command.change.storage != 0 && command.address.size() <= kAddressBytesMax;
            break;
        case consensus::ChangeOp::promote:
        case consensus::ChangeOp::demote:
        case consensus::ChangeOp::remove: sound = sound && command.address.empty(); break;
        default: return Status::unsupported_version;
    }
    return sound ? Status::ok : Status::invalid_argument;
}

Status decode(std::span<const std::byte> body, MemberCommand& command) {
    if (!take(body, command.change)) return Status::invalid_argument;
    command.address = body;
    return check(command);
}

Status decode(std::span<const std::byte> payload, MembersEntry& entry) {
    if (!take(payload, entry.command.change) || !take(payload, entry.head)) return Status::corrupt;
    entry.command.address = payload;
    const Status status = check(entry.command);
    return status == Status::invalid_argument ? Status::corrupt : status;
}

bool decode(std::span<const std::byte> payload, FeatureEntry& entry) { return take(payload, entry) && payload.empty() && entry.level != 0; }

Status validate_command(CommandType type, std::span<const std::byte> body) {
    AcquireCommand acquire{};
    ReleaseCommand release{};
    PutCommand put{};
    MemberCommand member{};
    bool sound = false;
    switch (type) {
        case CommandType::open_session: sound = body.size() == sizeof(OpenSessionCommand); break;
        case CommandType::acquire: sound = decode(body, acquire); break;
        case CommandType::release: sound = decode(body, release); break;
        case CommandType::put: sound = decode(body, put); break;
        case CommandType::member: return decode(body, member);
        case CommandType::transfer: sound = body.size() == sizeof(TransferCommand); break;
        default: return Status::unsupported_version;
    }
    if (sound) return Status::ok;
    const std::size_t name_bytes = std::max({acquire.name.size(), release.name.size(), put.key.size()});
    return name_bytes > kLeaseNameBytesMax ? Status::too_large : Status::invalid_argument;
}

MemberRow voter_row(NodeId node, StorageId storage, std::span<const std::byte> address) {
    DUNLIN_ASSERT(address.size() <= kAddressBytesMax);
    MemberRow row{};
    row.storage = storage.value();
    row.node = node.value();
    row.address_length = static_cast<std::uint8_t>(address.size());
    row.flags = kMemberVoter;
    std::ranges::copy(address, row.address);
    return row;
}

std::span<const std::byte> encode(const Bootstrap& bootstrap, std::span<std::byte> out) {
    BootstrapHead head{};
    head.incarnation = bootstrap.incarnation.value();
    head.limits = bootstrap.limits;
    head.voter_count = static_cast<std::uint16_t>(bootstrap.voters.size());
    head.voter_rate_ppm = bootstrap.voter_rate_ppm;
    head.feature_level = bootstrap.feature_level;
    return join(out, bytes_of(head), std::as_bytes(bootstrap.voters));
}

MemberRow bootstrap_voter(std::span<const std::byte> payload, std::size_t i) {
    return wire::load<MemberRow>(payload.subspan(sizeof(BootstrapHead) + i * sizeof(MemberRow)));
}

bool decode(std::span<const std::byte> payload, BootstrapHead& head) {
    std::span<const std::byte> rows = payload;
    if (!take(rows, head)) return false;
    if (head.incarnation == 0 || !valid(head.limits) || head.voter_rate_ppm > kClockRatePpmMax || head.reserved != 0) return false;
    if (head.voter_count < 1 || head.voter_count > kVotersMax || head.voter_count > head.limits.members) return false;
    if (rows.size() != head.voter_count * sizeof(MemberRow)) return false;
    for (std::size_t i = 0; i < head.voter_count; ++i) {
        const MemberRow row = bootstrap_voter(payload, i);
        if (!sound(row) || row.flags != kMemberVoter) return false;
        for (std::size_t j = 0; j < i; ++j) {
            const MemberRow other = bootstrap_voter(payload, j);
            if (other.node == row.node || other.storage == row.storage) return false;
        }
    }
    return true;
}

}  // namespace dunlin::ledger
