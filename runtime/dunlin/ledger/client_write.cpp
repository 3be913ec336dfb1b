// The part of Client that writes records.
#include <dunlin/ledger/client.hpp>

#include <algorithm>

namespace dunlin::ledger {
namespace {

std::string_view name_of(const Request& request) { return {request.name.data(), request.name_length}; }

CommandType command_of(RequestKind kind) {
    switch (kind) {
        case RequestKind::acquire: return CommandType::acquire;
        case RequestKind::release: return CommandType::release;
        case RequestKind::member: return CommandType::member;
        case RequestKind::transfer: return CommandType::transfer;
        default: return CommandType::put;
    }
}

// Completes the open record, or takes it back.
bool close(wire::PacketWriter& writer, bool fits) {
    if (fits) {
        writer.end();
    } else {
        writer.cancel();
    }
    return fits;
}

}  // namespace

bool Client::wants_to_send(NodeId to) const {
    if (target_count_ == 0 || to != target()) return false;
    return voters_asked_ || std::ranges::any_of(requests_, [](const Request& request) { return request.owed; });
}

void Client::write_records(Instant now, NodeId to, wire::PacketWriter& writer) {
    if (!wants_to_send(to)) return;
    if (voters_asked_) {
        const wire::Read ask(0, static_cast<std::uint8_t>(ReadKind::voters), 0, 0, 0);
        if (!writer.record(wire::RecordType::read, ask)) return;
        voters_asked_ = false;
    }
    for (Request& request : requests_) {
        if (!request.owed) continue;
        ++last_attempt_;
        request.attempt = last_attempt_;
        const bool first = request.times_sent == 0;
        if (!write_request(now, request, writer)) continue;
        if (first) retries_.on_sent(now);
        note_asked(now);
        request.owed = false;
        request.awaiting = true;
        request.asked = to;
        request.next_attempt = now + options_.attempt_timeout();
    }
}

bool Client::write_request(Instant now, Request& request, wire::PacketWriter& writer) {
    if (!is_command(request.kind)) return write_read(request, writer);
    if (session_state_ == SessionState::open) return write_command(now, request, writer);
    return write_open_session(request, writer);
}

bool Client::write_open_session(Request& request, wire::PacketWriter& writer) {
    if (session_state_ == SessionState::none) {
        session_ = random_->next_nonzero_u64();
        next_sequence_ = 1;
        session_state_ = SessionState::opening;
    }
    const wire::Command open(session_, 0, request.attempt, static_cast<std::uint8_t>(CommandType::open_session), 0, 0);
    return writer.begin(wire::RecordType::command, open) && close(writer, writer.append(bytes_of(opening_)));
}

bool Client::write_command(Instant now, Request& request, wire::PacketWriter& writer) {
    const std::uint64_t sequence = request.sequence != 0 ? request.sequence : next_sequence_;
    const wire::Command command(session_, sequence, request.attempt, static_cast<std::uint8_t>(command_of(request.kind)), 0, 0);
    if (!writer.begin(wire::RecordType::command, command) || !close(writer, write_body(request, writer))) return false;
    if (request.sequence == 0) {
        request.sequence = sequence;
        next_sequence_ = sequence + 1;
        request.first_sent = now;
    }
    if (request.times_sent < 255) ++request.times_sent;
    return true;
}

bool Client::write_body(Request& request, wire::PacketWriter& writer) {
    const std::string_view name = name_of(request);
    switch (request.kind) {
        case RequestKind::acquire: {
            const AcquireCommand command{name, from_us(static_cast<std::int64_t>(request.detail >> 32U)),
                                         BootEpoch{static_cast<std::uint32_t>(request.detail)}};
            return !encode(command, writer.extend(encoded_bytes(command))).empty();
        }
        case RequestKind::release: {
            const ReleaseCommand command{name, Token{request.value}};
            return !encode(command, writer.extend(encoded_bytes(command))).empty();
        }
        case RequestKind::member: {
            const consensus::ConfigChange change{.storage = request.value,
                                                 .node = static_cast<std::uint16_t>(request.detail),
                                                 .op = static_cast<std::uint8_t>(request.detail >> 16U),
                                                 .reserved0 = 0,
                                                 .reserved1 = 0};
            return writer.append(bytes_of(change)) && writer.append(std::as_bytes(std::span(name))) &&
                   writer.append(value_of(request).first(request.value_length));
        }
        case RequestKind::transfer: {
            const TransferCommand command{static_cast<std::uint16_t>(request.detail), 0, 0};
            return writer.append(bytes_of(command));
        }
        default: {
            const PutCommand command{name, value_of(request).first(request.value_length)};
            return !encode(command, writer.extend(encoded_bytes(command))).empty();
        }
    }
}

bool Client::write_read(Request& request, wire::PacketWriter& writer) {
    const ReadKind kind = request.kind == RequestKind::get ? ReadKind::key : ReadKind::lease;
    const wire::Read read(request.wire_number(), static_cast<std::uint8_t>(kind), 0, 0, 0);
    if (!writer.record(wire::RecordType::read, read, std::as_bytes(std::span(request.name).first(request.name_length)))) return false;
    if (request.times_sent < 255) ++request.times_sent;
    return true;
}

}  // namespace dunlin::ledger
