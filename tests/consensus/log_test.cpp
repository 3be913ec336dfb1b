#include <dunlin/consensus/log.hpp>
#include <dunlin/consensus/quorum.hpp>
#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace dunlin::consensus {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

struct Fixture {
    explicit Fixture(std::size_t entries = 8, std::size_t bytes = 64) : slots(entries), payloads(bytes), log({slots, payloads}) {}
    void add(std::uint64_t term, const std::string& text, std::uint64_t sequence) {
        log.append(Term{term}, ClusterTime{term}, EntryType::command, bytes_of(text));
        log.set_last_sequence(JournalSequence{sequence});
    }
    [[nodiscard]] std::string text(std::uint64_t index) const {
        const auto payload = log.entry(LogIndex{index}).payload;
        return {reinterpret_cast<const char*>(payload.data()), payload.size()};
    }
    std::vector<LogSlot> slots;
    std::vector<std::byte> payloads;
    Log log;
};

TEST(Log, keeps_what_was_appended_through_wraps_truncations_and_drops) {
    Random random(5);
    for (const std::size_t bytes : {64U, 100U, 37U}) {
        Fixture fixture(8, bytes);
        std::deque<std::string> model;
        std::uint64_t first = 1;
        for (int i = 0; i < 20'000; ++i) {
            const std::uint64_t what = random.below(10);
            const std::string text(static_cast<std::size_t>(random.below(20)), static_cast<char>('a' + random.below(26)));
            if (what < 6 && fixture.log.fits(text.size())) {
                fixture.add(1, text, 0);
                model.push_back(text);
            } else if (what < 8 && !model.empty()) {
                fixture.log.drop_first();
                model.pop_front();
                ++first;
            } else if (what == 8 && !model.empty()) {
                const std::uint64_t kept = random.below(model.size() + 1);
                fixture.log.truncate_after(LogIndex{first - 1 + kept});
                model.resize(static_cast<std::size_t>(kept));
            }
            ASSERT_EQ(fixture.log.last_index().value(), first - 1 + model.size());
            for (std::size_t at = 0; at < model.size(); ++at) ASSERT_EQ(fixture.text(first + at), model[at]);
        }
    }
}

TEST(Log, has_room_for_its_whole_byte_ring_when_it_is_empty) {
    Fixture fixture(8, 64);
    fixture.add(1, std::string(40, 'x'), 1);
    fixture.log.drop_first();
    EXPECT_TRUE(fixture.log.fits(64));
    EXPECT_FALSE(fixture.log.fits(65));
    EXPECT_FALSE(fixture.log.fits(1, 8));
}

TEST(Log, has_room_for_its_whole_byte_ring_once_it_is_compacted) {
    Random random(6);
    for (int round = 0; round < 2000; ++round) {
        Fixture fixture(8, 64);
        fixture.add(1, std::string(static_cast<std::size_t>(random.below(60)), '-'), 0);  // somewhere the entries that count must begin
        std::deque<std::string> model;
        std::size_t used = 0;
        for (char name = 'a'; name < 'g'; ++name) {
            const std::string text(static_cast<std::size_t>(random.below(20)), name);
            if (used + text.size() > 64) break;
            if (!fixture.log.fits(text.size()) && fixture.log.base().index == LogIndex{}) fixture.log.drop_first();
            if (!fixture.log.fits(text.size())) fixture.log.compact();
            ASSERT_TRUE(fixture.log.fits(text.size()));
            fixture.add(1, text, 0);
            model.push_back(text);
            used += text.size();
        }
        if (fixture.log.base().index == LogIndex{}) fixture.log.drop_first();
        fixture.log.compact();
        ASSERT_TRUE(fixture.log.fits(64 - used));
        ASSERT_FALSE(fixture.log.fits(65 - used));
        for (std::size_t at = 0; at < model.size(); ++at) ASSERT_EQ(fixture.text(2 + at), model[at]);
    }
}

TEST(Log, is_durable_as_far_as_the_journal_for_what_it_holds_now) {
    Fixture fixture;
    fixture.add(1, "a", 10);
    fixture.add(1, "b", 11);
    EXPECT_EQ(fixture.log.durable_index(JournalSequence{9}), LogIndex{0});
    EXPECT_EQ(fixture.log.durable_index(JournalSequence{10}), LogIndex{1});
    fixture.log.truncate_after(LogIndex{1});
    fixture.add(2, "B", 12);
    EXPECT_EQ(fixture.log.durable_index(JournalSequence{11}), LogIndex{1});  // that was the other entry 2
    EXPECT_EQ(fixture.log.durable_index(JournalSequence{12}), LogIndex{2});
}

TEST(Log, is_not_durable_at_all_before_its_base_is) {
    Fixture fixture;
    fixture.log.reset({LogIndex{5}, Term{1}, ClusterTime{1}}, JournalSequence{20});
    fixture.add(1, "a", 10);
    EXPECT_EQ(fixture.log.durable_index(JournalSequence{19}), LogIndex{0});
    EXPECT_EQ(fixture.log.durable_index(JournalSequence{20}), LogIndex{6});
}

TEST(Log, keeps_what_follows_an_image_only_where_it_is_the_same_log) {
    Fixture same;
    for (int i = 0; i < 4; ++i) same.add(2, "x", 1);
    same.log.reset_keeping_suffix({LogIndex{3}, Term{2}, ClusterTime{2}}, JournalSequence{});
    EXPECT_EQ(same.log.last_index(), LogIndex{4});
    EXPECT_EQ(same.log.base().index, LogIndex{3});
    Fixture other;
    for (int i = 0; i < 4; ++i) other.add(2, "x", 1);
    other.log.reset_keeping_suffix({LogIndex{3}, Term{3}, ClusterTime{9}}, JournalSequence{});
    EXPECT_EQ(other.log.last_index(), LogIndex{3});
    EXPECT_EQ(other.log.last_term(), Term{3});
}

TEST(Log, finds_the_last_entry_of_a_term_or_older) {
    Fixture fixture;
    for (const std::uint64_t term : {1U, 1U, 3U, 3U, 5U}) fixture.add(term, "", 1);
    EXPECT_EQ(fixture.log.last_not_after(LogIndex{5}, Term{4}), LogIndex{4});
    EXPECT_EQ(fixture.log.last_not_after(LogIndex{9}, Term{2}), LogIndex{2});
    EXPECT_EQ(fixture.log.last_not_after(LogIndex{5}, Term{0}), LogIndex{0});
}

TEST(Quorum, is_reached_by_more_than_half) {
    const auto reached = [](std::vector<std::uint64_t> values) { return reached_by_majority(values); };
    EXPECT_EQ(reached({}), 0U);
    EXPECT_EQ(reached({7}), 7U);
    EXPECT_EQ(reached({7, 3}), 3U);
    EXPECT_EQ(reached({7, 3, 5}), 5U);
    EXPECT_EQ(reached({9, 9, 1, 1}), 1U);
    EXPECT_EQ(reached({9, 8, 7, 2, 1}), 7U);
}

}  // namespace
}  // namespace dunlin::consensus
