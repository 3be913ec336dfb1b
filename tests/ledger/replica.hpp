#pragma once

#include <dunlin/core/random.hpp>
#include <dunlin/ledger/ledger.hpp>

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace dunlin::ledger::test {

inline std::span<const std::byte> bytes_of_text(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

inline std::vector<std::byte> joined(std::span<const std::byte> first, std::span<const std::byte> second) {
    std::vector<std::byte> all(first.begin(), first.end());
    all.insert(all.end(), second.begin(), second.end());
    return all;
}

template <class T>
std::span<const std::byte> raw(const T& value) {
    return std::as_bytes(std::span<const T, 1>(&value, 1));
}

// A ledger with its memory, and entries to feed it.
struct Replica {
    explicit Replica(const LedgerLimits& limits = {}, std::uint8_t feature_level = kFeatureLevel)
        : image(image_bytes(limits)), ledger({image, limits, feature_level}, counters) {}

    ApplyResult apply_at(std::uint64_t time_us, consensus::EntryType type, std::span<const std::byte> payload) {
        time = time_us;
        return ledger.apply({ledger.applied().next(), Term{term}, ClusterTime{time_us}, type, payload});
    }
    ApplyResult apply(consensus::EntryType type, std::span<const std::byte> payload) { return apply_at(time, type, payload); }
    ApplyResult tick_at(std::uint64_t time_us) { return apply_at(time_us, consensus::EntryType::tick, {}); }

    ApplyResult bootstrap(std::uint32_t ppm = 1000) {
        const std::array voters{voter_row(NodeId{1}, StorageId{11}, bytes_of_text("127.0.0.1:7001")),
                                voter_row(NodeId{2}, StorageId{22}, bytes_of_text("127.0.0.1:7002")),
                                voter_row(NodeId{3}, StorageId{33}, {})};
        std::array<std::byte, kBootstrapBytesMax> buffer{};
        const Bootstrap bootstrap{ClusterIncarnation{77}, ledger.limits(), ppm, kFeatureLevel, voters};
        return apply(consensus::EntryType::bootstrap, encode(bootstrap, buffer));
    }

    CommandResult command(std::uint64_t session, std::uint64_t sequence, CommandType type, std::span<const std::byte> body,
                          std::uint16_t node = 7) {
        return raw_command(session, sequence, type, body, node).command;
    }
    ApplyResult raw_command(std::uint64_t session, std::uint64_t sequence, CommandType type, std::span<const std::byte> body,
                            std::uint16_t node = 7) {
        const CommandHead head{session, sequence, node, static_cast<std::uint8_t>(type), 0, 0};
        return apply(consensus::EntryType::command, joined(raw(head), body));
    }
    CommandResult open_as_of(std::uint64_t as_of, std::uint64_t session, std::uint16_t node = 7) {
        return command(session, 0, CommandType::open_session, raw(OpenSessionCommand{as_of}), node);
    }
    // As a client that knows everything there is.
    CommandResult open(std::uint64_t session, std::uint16_t node = 7) { return open_as_of(ledger.applied().value(), session, node); }
    CommandResult acquire(std::uint64_t session, std::uint64_t sequence, std::string_view name, std::uint64_t ttl_us,
                          std::uint16_t node = 7, std::uint32_t epoch = 1) {
        const AcquireCommand body{name, from_us(static_cast<std::int64_t>(ttl_us)), BootEpoch{epoch}};
        return command(session, sequence, CommandType::acquire, encode(body, scratch), node);
    }
    CommandResult release(std::uint64_t session, std::uint64_t sequence, std::string_view name, std::uint64_t token,
                          std::uint16_t node = 7) {
        return command(session, sequence, CommandType::release, encode(ReleaseCommand{name, Token{token}}, scratch), node);
    }
    CommandResult put(std::uint64_t session, std::uint64_t sequence, std::string_view key, std::string_view value, std::uint16_t node = 7) {
        return command(session, sequence, CommandType::put, encode(PutCommand{key, bytes_of_text(value)}, scratch), node);
    }
    ApplyResult renew_at(std::uint64_t time_us, std::uint64_t as_of, std::initializer_list<unsigned> slots) {
        std::vector<std::byte> bitmap(renewal_bitmap_bytes(ledger.limits()));
        for (const unsigned slot : slots) bitmap[slot / 8] |= static_cast<std::byte>(1u << (slot % 8));
        return apply_at(time_us, consensus::EntryType::renewals, joined(raw(RenewalsHead{as_of}), bitmap));
    }
    // The same state with another header.
    template <class Change>
    void change_header(Change change) {
        std::vector<std::byte> bytes = copy();
        Image changed(bytes, ledger.limits());
        change(changed.header());
        changed.seal();
        DUNLIN_ASSERT(ledger.install(bytes) == Status::ok);
    }
    // The same state as if `index` had been its last entry.
    void continue_after(std::uint64_t index) {
        change_header([index](ImageHeader& header) { header.applied_index = index; });
    }
    std::vector<std::byte> copy() {
        const auto bytes = ledger.image();
        return {bytes.begin(), bytes.end()};
    }

    Counters counters;
    std::vector<std::byte> image;
    Ledger ledger;
    std::uint64_t time = 0;
    std::uint64_t term = 1;
    std::array<std::byte, 2048> scratch{};
};

}  // namespace dunlin::ledger::test
