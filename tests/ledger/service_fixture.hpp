#pragma once

#include "ledger/fake_log.hpp"
#include "ledger/packets.hpp"

#include <dunlin/ledger/service.hpp>

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace dunlin::ledger::test {

inline constexpr std::array<std::byte, sizeof(OpenSessionCommand)> kOpening{};  // as of nothing

inline constexpr NodeId kPeer{7};

// The service of a leader of voters 1 and 2, and a test that plays the log and the client kPeer.
struct ServiceTest : testing::Test {
    static constexpr Instant at(std::int64_t milli) { return Instant{} + milliseconds{milli}; }
    ServiceTest() {
        std::array<std::byte, kBootstrapBytesMax> buffer{};
        const std::array voters{voter_row(NodeId{1}, StorageId{11}, bytes_of_text("here")), voter_row(NodeId{2}, StorageId{22}, {})};
        (void)log.propose(at(0), consensus::EntryType::bootstrap,
                          encode(Bootstrap{ClusterIncarnation{5}, LedgerLimits{}, 1000, 1, voters}, buffer), {});
        commit();
    }

    // Applies everything that was proposed, as a node does.
    void commit(Instant now = at(1)) {
        while (!log.waiting.empty()) {
            const FakeLog::Stored entry = log.waiting.front();
            log.waiting.pop_front();
            const consensus::Entry view{entry.index, entry.term, entry.time, entry.type, entry.payload};
            const ApplyResult result = replica.ledger.apply(view);
            ASSERT_EQ(result.replica, Status::ok);
            service.on_applied(now, view, result);
        }
    }
    void command(Instant now, std::uint64_t session, std::uint64_t sequence, CommandType type, std::span<const std::byte> body,
                 std::uint32_t attempt = 1, NodeId peer = kPeer) {
        const wire::Command fixed(session, sequence, attempt, static_cast<std::uint8_t>(type), 0, 0);
        EXPECT_TRUE(service.on_record(now, peer, Built(wire::RecordType::command, fixed, body).record));
    }
    void renew(Instant now, std::uint64_t request, std::uint64_t token, std::uint16_t slot, NodeId peer = kPeer) {
        EXPECT_TRUE(service.on_record(now, peer, Built(wire::RecordType::renew, wire::Renew(request, token, slot, 0, 0)).record));
    }
    void read(Instant now, std::uint64_t request, ReadKind kind, std::string_view name) {
        const wire::Read fixed(request, static_cast<std::uint8_t>(kind), 0, 0, 0);
        EXPECT_TRUE(service.on_record(now, kPeer, Built(wire::RecordType::read, fixed, bytes_of_text(name)).record));
    }
    void put(Instant now, std::uint64_t sequence, std::string_view value, std::uint32_t attempt = 1) {
        command(now, 50, sequence, CommandType::put, encode(PutCommand{"k", bytes_of_text(value)}, scratch), attempt);
    }
    std::vector<wire::Record> written(Instant now, NodeId to = kPeer) {
        packet.emplace();
        service.write_records(now, to, packet->writer());
        return packet->writer().empty() ? std::vector<wire::Record>{} : packet->records();
    }
    wire::CommandReply reply(Instant now) {
        const auto records = written(now);
        EXPECT_EQ(records.size(), 1u);
        return records.empty() ? wire::CommandReply() : records[0].as<wire::CommandReply>();
    }
    void open() {
        command(at(1), 50, 0, CommandType::open_session, kOpening);
        commit();
        EXPECT_EQ(reply(at(1)).status(), 0u);
    }
    // A lease of 1 s at 1 ms; its token.
    std::uint64_t grant(std::uint64_t sequence = 1) {
        command(at(1), 50, sequence, CommandType::acquire, encode(AcquireCommand{"pump", seconds{1}, BootEpoch{1}}, scratch));
        commit();
        return reply(at(1)).value();
    }
    static Status status_of(const auto& record) { return static_cast<Status>(record.status()); }

    FakeLog log;
    Replica replica;
    std::array<ServiceCall, 4 + kServiceRefusals> calls{};
    std::array<ServiceRenewal, 16> renewals{};
    std::array<std::byte, 2> bitmap{};
    Service service{{calls, renewals, bitmap}, {}, replica.ledger, log.port(), replica.counters};
    std::array<std::byte, 256> scratch{};
    std::optional<Packet> packet;
};

}  // namespace dunlin::ledger::test
