#include <dunlin/bus/key_table.hpp>

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace dunlin::bus {
namespace {

using link::Disposition;

constexpr SubscriptionId kVolatile{3};
constexpr SubscriptionId kDurable = durable_subscription(3);
constexpr IdempotencyKey kKey{7, 1};
constexpr IdempotencyKey kOther{7, 2};
constexpr IdempotencyKey kThird{7, 3};
constexpr Duration kLifetime = seconds{60};

// A table of two entries, and its journal as a list.
struct KeyTableTest : testing::Test {
    struct Table {
        explicit Table(const KeyTimes& times, bool journalled = true)
            : keys(KeyStorage{.entries = entries, .buckets = buckets}, times, journalled) {}
        std::array<KeyEntry, 2> entries{};
        std::array<std::uint16_t, 2> buckets{};
        KeyTable keys;
    };

    link::InboundMessage message(const IdempotencyKey& key, SubscriptionId subscription = kDurable, Duration lifetime = kLifetime) {
        link::InboundMessage made;
        made.now = now;
        made.expires = now + lifetime;
        made.sequence = Sequence{++sequence};
        made.subscription = subscription;
        made.peer = PeerIndex{1};
        made.blocks.keyed = true;
        made.blocks.key = key;
        made.blocks.key_lifetime_ms = static_cast<std::uint32_t>(to_us(lifetime) / 1000);
        return made;
    }
    // The message gets its entry, and its handler says so.
    void settle(Table& at, const link::InboundMessage& of, Disposition said = Disposition::accepted) {
        const auto answer = at.keys.ask(of);
        ASSERT_NE(answer.entry, kNoSlot);
        at.keys.ended(answer.entry, said);
    }
    std::vector<KeyRecord> stored(Table& at) {
        std::vector<KeyRecord> records;
        auto take_record = [&](journal::RecordKind kind, std::span<const std::byte> first, std::span<const std::byte> second) {
            KeyRecord record{};
            EXPECT_TRUE(kind == journal::RecordKind::explicit_key && second.empty() && take_all(first, record));
            records.push_back(record);
            return Status::ok;
        };
        EXPECT_EQ(at.keys.store(now, EmitRecord::of(take_record)), Status::ok);
        return records;
    }

    Instant now = Instant{} + seconds{100};
    std::uint64_t sequence = 0;
    KeyTimes times{};
    Table table{times};
};

TEST_F(KeyTableTest, lets_one_message_of_a_key_have_the_effect) {
    settle(table, message(kKey));
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::accepted_before);
    settle(table, message(kOther), Disposition::rejected);
    EXPECT_EQ(table.keys.ask(message(kOther)).disposition, Disposition::rejected_before);
}

TEST_F(KeyTableTest, keeps_the_keys_of_two_subscriptions_apart) {
    settle(table, message(kKey, kDurable));
    settle(table, message(kKey, kVolatile), Disposition::rejected);
    EXPECT_EQ(table.keys.ask(message(kKey, kDurable)).disposition, Disposition::accepted_before);
    EXPECT_EQ(table.keys.ask(message(kKey, kVolatile)).disposition, Disposition::rejected_before);
}

TEST_F(KeyTableTest, neither_forgets_a_key_nor_runs_a_handler_when_it_is_full) {
    settle(table, message(kKey));
    settle(table, message(kOther));
    const auto answer = table.keys.ask(message(kThird));
    EXPECT_EQ(answer.entry, kNoSlot);
    EXPECT_EQ(answer.disposition, Disposition::held);
    EXPECT_EQ(answer.wait, KeyTable::Wait::room);
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::accepted_before);
    EXPECT_EQ(table.keys.ask(message(kOther)).disposition, Disposition::accepted_before);
}

TEST_F(KeyTableTest, lets_what_waits_for_room_go_on_when_a_key_runs_out) {
    settle(table, message(kKey));
    settle(table, message(kOther, kDurable, 10 * kLifetime));
    EXPECT_EQ(table.keys.next_deadline(), kNever);
    const auto late = message(kThird);
    ASSERT_EQ(table.keys.ask(late).wait, KeyTable::Wait::room);
    EXPECT_FALSE(table.keys.take_released());
    EXPECT_EQ(table.keys.next_deadline(), key_end(now + kLifetime, 60'000, times));
    now = table.keys.next_deadline();
    table.keys.on_timeout(now);
    EXPECT_TRUE(table.keys.take_released());
    EXPECT_FALSE(table.keys.take_released());
    settle(table, message(kThird));
    EXPECT_EQ(table.keys.ask(message(kOther)).disposition, Disposition::accepted_before);
}

// A copy that left at the last moment, by the slowest clock, and took as long as a packet can.
TEST_F(KeyTableTest, remembers_a_key_until_the_last_copy_is_dead) {
    times = {.lifetime_max_ms = 3'600'000, .packet_age_max_ms = 8000, .clock_rate_bound_ppm = 50'000};
    settle(table, message(kKey));
    settle(table, message(kOther));
    const Duration last = kLifetime * 105 / 90 + seconds{8} * 105 / 100;
    now += last;
    EXPECT_EQ(table.keys.ask(message(kKey, kDurable, milliseconds{1})).disposition, Disposition::accepted_before);
    now += seconds{2};
    EXPECT_NE(table.keys.ask(message(kOther)).entry, kNoSlot);
}

TEST_F(KeyTableTest, counts_a_lifetime_that_waited_before_its_handler_got_it_as_a_whole) {
    times.packet_age_max_ms = 0;
    link::InboundMessage late = message(kKey);
    late.now = now + kLifetime - seconds{1};
    settle(table, late);
    now += kLifetime * 11 / 10;
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::accepted_before);
}

TEST_F(KeyTableTest, remembers_for_the_longest_lived_copy_that_it_has_seen) {
    settle(table, message(kKey));
    now += seconds{30};
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::accepted_before);
    now += seconds{59};
    EXPECT_EQ(table.keys.ask(message(kKey, kDurable, milliseconds{1})).disposition, Disposition::accepted_before);
}

TEST_F(KeyTableTest, lets_a_copy_wait_while_the_handler_has_the_first_one) {
    const auto first = message(kKey);
    settle(table, first, Disposition::pending);
    EXPECT_EQ(table.keys.ask(message(kKey)).wait, KeyTable::Wait::first);
    EXPECT_FALSE(table.keys.take_released());
    table.keys.completed({.sequence = Sequence{99}, .subscription = kDurable, .peer = PeerIndex{1}}, Disposition::accepted);
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::held);
    table.keys.completed({.sequence = first.sequence, .subscription = kDurable, .peer = PeerIndex{1}}, Disposition::accepted);
    EXPECT_TRUE(table.keys.take_released());
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::accepted_before);
}

TEST_F(KeyTableTest, gives_the_effect_to_another_copy_where_the_first_one_had_none) {
    for (const Disposition said : {Disposition::retry_later, Disposition::fenced, Disposition::held}) {
        settle(table, message(kKey), said);
        settle(table, message(kKey), said);
    }
    settle(table, message(kKey));
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::accepted_before);
}

TEST_F(KeyTableTest, rejects_what_it_could_not_remember) {
    EXPECT_EQ(table.keys.ask(message(kKey, kDurable, seconds{3601})).disposition, Disposition::rejected);
    KeyTable none(KeyStorage{}, times, false);
    EXPECT_EQ(none.ask(message(kKey)).disposition, Disposition::rejected);
}

// ---- Journal ----------------------------------------------------------------------------------------------------------

TEST_F(KeyTableTest, stores_what_durable_subscriptions_settled_once) {
    settle(table, message(kKey, kVolatile));
    settle(table, message(kOther, kDurable), Disposition::rejected);
    const auto records = stored(table);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].high, kOther.high);
    EXPECT_EQ(records[0].low, kOther.low);
    EXPECT_EQ(records[0].rejected, 1U);
    EXPECT_EQ(from_us(records[0].remaining_us), key_end(now + kLifetime, 60'000, times) - now);
    EXPECT_TRUE(stored(table).empty());
    // A copy that lives longer.
    now += seconds{5};
    EXPECT_EQ(table.keys.ask(message(kOther)).disposition, Disposition::rejected_before);
    EXPECT_EQ(stored(table).size(), 1U);
}

TEST_F(KeyTableTest, writes_all_it_knows_for_a_checkpoint_and_takes_nothing_new_meanwhile) {
    settle(table, message(kKey));
    ASSERT_EQ(stored(table).size(), 1U);
    table.keys.freeze();
    EXPECT_EQ(stored(table).size(), 1U);
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::held);
    EXPECT_EQ(table.keys.ask(message(kOther)).disposition, Disposition::held);
    EXPECT_TRUE(stored(table).empty());
    table.keys.thaw();
    EXPECT_TRUE(table.keys.take_released());
    EXPECT_EQ(table.keys.ask(message(kKey)).disposition, Disposition::accepted_before);
}

TEST_F(KeyTableTest, recovers_what_a_watermark_followed_with_its_time_standing_still) {
    settle(table, message(kKey), Disposition::rejected);
    const std::vector<KeyRecord> records = stored(table);
    now += seconds{7200};
    Table next(times);
    ASSERT_EQ(next.keys.replay(now, bytes_of(records[0])), Status::ok);
    next.keys.confirm();
    next.keys.drop_unconfirmed();
    now += kLifetime;
    EXPECT_EQ(next.keys.ask(message(kKey, kDurable, milliseconds{1})).disposition, Disposition::rejected_before);
    EXPECT_TRUE(stored(next).empty());
}

TEST_F(KeyTableTest, drops_a_key_whose_effect_the_journal_does_not_know) {
    settle(table, message(kKey));
    const std::vector<KeyRecord> records = stored(table);
    Table next(times);
    ASSERT_EQ(next.keys.replay(now, bytes_of(records[0])), Status::ok);
    next.keys.drop_unconfirmed();
    EXPECT_NE(next.keys.ask(message(kKey)).entry, kNoSlot);
}

// What it extended may not have become durable, but the key was.
TEST_F(KeyTableTest, keeps_a_confirmed_key_whose_later_record_is_not) {
    settle(table, message(kKey));
    std::vector<KeyRecord> records = stored(table);
    Table next(times);
    ASSERT_EQ(next.keys.replay(now, bytes_of(records[0])), Status::ok);
    next.keys.confirm();
    records[0].remaining_us += 1;
    ASSERT_EQ(next.keys.replay(now, bytes_of(records[0])), Status::ok);
    next.keys.drop_unconfirmed();
    EXPECT_EQ(next.keys.ask(message(kKey)).disposition, Disposition::accepted_before);
}

TEST_F(KeyTableTest, a_later_record_of_a_place_stands_for_what_had_run_out_there) {
    std::vector<KeyRecord> journal;
    for (const IdempotencyKey& key : {kKey, kOther, kThird}) {
        settle(table, message(key));
        for (const KeyRecord& record : stored(table)) journal.push_back(record);
        now += 2 * kLifetime;
    }
    Table next(times);
    for (const KeyRecord& record : journal) ASSERT_EQ(next.keys.replay(now, bytes_of(record)), Status::ok);
    next.keys.confirm();
    EXPECT_EQ(next.keys.ask(message(kThird)).disposition, Disposition::accepted_before);
    KeyRecord beyond = journal[0];
    beyond.slot = 2;
    EXPECT_EQ(next.keys.replay(now, bytes_of(beyond)), Status::table_full);
    EXPECT_EQ(next.keys.replay(now, std::as_bytes(std::span("x"))), Status::corrupt);
}

TEST_F(KeyTableTest, knows_whether_an_earlier_process_may_have_run_a_message) {
    EXPECT_TRUE(table.keys.may_have_run(message(kKey)));
    table.keys.start(now, true);
    EXPECT_FALSE(table.keys.may_have_run(message(kKey)));
    table.keys.start(now, false);
    EXPECT_TRUE(table.keys.may_have_run(message(kKey)));
    EXPECT_FALSE(table.keys.may_have_run(message(kKey, kVolatile)));
    now += seconds{3600} * 10 / 8;
    EXPECT_FALSE(table.keys.may_have_run(message(kKey)));
}

}  // namespace
}  // namespace dunlin::bus
