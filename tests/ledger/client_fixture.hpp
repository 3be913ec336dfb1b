#pragma once

#include "ledger/packets.hpp"
#include "ledger/replica.hpp"

#include <dunlin/ledger/client.hpp>

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <vector>

namespace dunlin::ledger::test {

// A client that knows voters 1, 2 and 3, and a test that plays them.
struct ClientTest : testing::Test {
    static constexpr Instant at(std::int64_t milli) { return Instant{} + milliseconds{10'000 + milli}; }
    ClientTest() { client.set_voters(at(0), LogIndex{1}, voters); }

    // What the client writes to `node`, if anything.
    std::vector<wire::Record> written(Instant now, NodeId node) {
        packet.emplace();
        client.write_records(now, node, packet->writer());
        return packet->writer().empty() ? std::vector<wire::Record>{} : packet->records();
    }
    wire::Command command(Instant now, NodeId node) {
        const auto records = written(now, node);
        EXPECT_EQ(records.size(), 1u);
        return records.empty() ? wire::Command() : records[0].as<wire::Command>();
    }
    struct Opening {
        std::uint64_t session = 0;
        std::uint64_t as_of = 0;
        [[nodiscard]] bool operator==(const Opening&) const = default;
    };
    Opening opening(Instant now, NodeId node) {
        const auto records = written(now, node);
        OpenSessionCommand body{};
        if (records.size() != 1 || !decode(records[0].bytes, body)) ADD_FAILURE() << "no opening";
        return records.empty() ? Opening{} : Opening{records[0].as<wire::Command>().session(), body.as_of};
    }
    void reply(Instant now, NodeId from, const wire::Command& to, Status status, std::uint64_t value = 0, NodeId leader = {}) {
        const wire::CommandReply answer(to.session(), to.sequence(), value, 0, to.attempt(), static_cast<std::uint8_t>(status), 0,
                                        leader.value());
        const Built built(wire::RecordType::command_reply, answer);
        EXPECT_TRUE(client.on_record(now, from, built.record));
    }
    void reply_read(Instant now, NodeId from, std::uint64_t request, Status status, std::string_view value = {}) {
        const wire::ReadReply answer(request, 5, 0, static_cast<std::uint8_t>(status), 1, 0, 0);
        const Built built(wire::RecordType::read_reply, answer, bytes_of_text(value));
        EXPECT_TRUE(client.on_record(now, from, built.record));
    }
    void open(Instant now) {
        ASSERT_TRUE(client.put(now, "first", {}).ok());
        reply(now, NodeId{1}, command(now, NodeId{1}), Status::ok);
        reply(now, NodeId{1}, command(now, NodeId{1}), Status::ok, 4);
        RequestResult result{};
        ASSERT_TRUE(client.poll_result(Requester::application, result));
    }
    // Runs timers until the next result, at most to `limit`.
    std::optional<RequestResult> run(Instant& now, Instant limit) {
        RequestResult result{};
        while (!client.poll_result(Requester::application, result)) {
            if (client.next_deadline() > limit) return std::nullopt;
            now = std::max(now, client.next_deadline());
            client.on_timeout(now);
            (void)written(now, client.target());
        }
        return result;
    }

    std::array<NodeId, 3> voters{NodeId{1}, NodeId{2}, NodeId{3}};
    std::array<Request, 4> requests{};
    std::array<std::byte, 128> values{};
    std::array<Event, 16> event_slots{};
    Counters counters;
    EventQueue events{event_slots, counters};
    Random random{1};
    Client client{{requests, values, 32}, {}, counters, random, events};
    std::optional<Packet> packet;
};

}  // namespace dunlin::ledger::test
