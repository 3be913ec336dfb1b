#include "replica.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace dunlin::ledger::test {
namespace {

// One random entry: mostly sound, sometimes cut, flipped or noise.
std::vector<std::byte> random_payload(Random& random, consensus::EntryType type, const Replica& replica) {
    std::array<std::byte, 256> buffer{};
    const std::string name(1, static_cast<char>('a' + random.below(20)));
    std::vector<std::byte> payload;
    if (type == consensus::EntryType::command) {
        const std::uint16_t node = static_cast<std::uint16_t>(1 + random.below(20));
        CommandHead head{
            node, replica.ledger.applied().value() / 16 + random.below(5), node, static_cast<std::uint8_t>(1 + random.below(4)), 0, 0};
        if (random.below(10) == 0) head.session += 100;
        std::span<const std::byte> body{};
        switch (static_cast<CommandType>(head.type)) {
            case CommandType::open_session: {
                head.sequence = 0;
                const OpenSessionCommand open{replica.ledger.applied().value() - random.below(4)};
                std::ranges::copy(raw(open), buffer.begin());
                body = std::span<const std::byte>(buffer).first(sizeof open);
                break;
            }
            case CommandType::acquire:
                body = encode(AcquireCommand{name, random.between(milliseconds{90}, seconds{2}), BootEpoch{1}}, buffer);
                break;
            case CommandType::release:
                body = encode(ReleaseCommand{name, Token{random.below(replica.ledger.applied().value() + 1)}}, buffer);
                break;
            default:
                body =
                    encode(PutCommand{name, std::span<const std::byte>(buffer).first(static_cast<std::size_t>(random.below(36)))}, buffer);
        }
        payload = joined(raw(head), body);
    } else if (type == consensus::EntryType::renewals) {
        const std::uint64_t behind = random.below(5);
        const std::uint64_t applied = replica.ledger.applied().value();
        const std::uint16_t bits = static_cast<std::uint16_t>(random.next_u32());
        payload = joined(raw(RenewalsHead{applied > behind ? applied - behind : 0}), raw(bits));
    }
    if (!payload.empty() && random.below(8) == 0) payload.resize(static_cast<std::size_t>(random.below(payload.size())));
    if (payload.size() > 24 && random.below(8) == 0)
        payload[24 + static_cast<std::size_t>(random.below(payload.size() - 24))] ^= std::byte{0x21};
    return payload;
}

TEST(Determinism, two_replicas_fed_the_same_random_entries_are_equal_to_the_byte_whatever_was_in_them) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Random random(seed);
        Replica one, two;
        (void)one.bootstrap();
        (void)two.bootstrap();
        std::uint64_t time = 0;
        for (int step = 0; step < 2000; ++step) {
            const std::uint64_t draw = random.below(10);
            const auto type = draw < 7   ? consensus::EntryType::command
                              : draw < 9 ? consensus::EntryType::renewals
                                         : consensus::EntryType::tick;
            time += random.below(60'000);
            const std::vector<std::byte> payload = random_payload(random, type, one);
            const ApplyResult first = one.apply_at(time, type, payload);
            const ApplyResult second = two.apply_at(time, type, payload);
            ASSERT_EQ(first.replica, Status::ok) << "seed " << seed << " step " << step;
            ASSERT_EQ(first.command.status, second.command.status);
            ASSERT_EQ(first.command.value, second.command.value);
            ASSERT_EQ(one.ledger.state_hash(), two.ledger.state_hash()) << "seed " << seed << " step " << step;
            if (step % 500 == 250) {  // one goes on from its own image
                const std::vector<std::byte> image = one.copy();
                ASSERT_EQ(verify_image(image, one.ledger.limits()), Status::ok) << "seed " << seed << " step " << step;
                ASSERT_EQ(one.ledger.install(image), Status::ok);
            }
        }
        EXPECT_EQ(one.copy(), two.copy()) << "seed " << seed;
        EXPECT_GT(two.counters.get(Counter::leases_granted), 30u);
        EXPECT_GT(two.counters.get(Counter::leases_renewed), 20u);
        EXPECT_GT(two.counters.get(Counter::leases_expired), 20u);
        EXPECT_GT(two.counters.get(Counter::commands_repeated), 20u);
        EXPECT_GT(two.counters.get(Counter::sessions_evicted), 5u);
    }
}

}  // namespace
}  // namespace dunlin::ledger::test
