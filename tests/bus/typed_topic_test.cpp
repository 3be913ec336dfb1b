#include <dunlin/bus/table_builder.hpp>
#include <dunlin/bus/typed_topic.hpp>
#include <dunlin/core/random.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace dunlin::bus {
namespace {

// What flatc makes of: table Reading { time: ulong; value: int; flag: bool; host: string; samples: [double]; }
struct Reading : private flatbuffers::Table {
    enum : flatbuffers::voffset_t { VT_TIME = 4, VT_VALUE = 6, VT_FLAG = 8, VT_HOST = 10, VT_SAMPLES = 12 };
    [[nodiscard]] std::uint64_t time() const { return GetField<std::uint64_t>(VT_TIME, 0); }
    [[nodiscard]] std::int32_t value() const { return GetField<std::int32_t>(VT_VALUE, -1); }
    [[nodiscard]] bool flag() const { return GetField<std::uint8_t>(VT_FLAG, 0) != 0; }
    [[nodiscard]] const flatbuffers::String* host() const { return GetPointer<const flatbuffers::String*>(VT_HOST); }
    [[nodiscard]] const flatbuffers::Vector<double>* samples() const { return GetPointer<const flatbuffers::Vector<double>*>(VT_SAMPLES); }
    bool Verify(flatbuffers::Verifier& verifier) const {
        return VerifyTableStart(verifier) && VerifyField<std::uint64_t>(verifier, VT_TIME, sizeof(std::uint64_t)) &&
               VerifyField<std::int32_t>(verifier, VT_VALUE, sizeof(std::int32_t)) &&
               VerifyField<std::uint8_t>(verifier, VT_FLAG, sizeof(std::uint8_t)) && VerifyOffset(verifier, VT_HOST) &&
               verifier.VerifyString(host()) && VerifyOffset(verifier, VT_SAMPLES) && verifier.VerifyVector(samples()) &&
               verifier.EndTable();
    }
};

struct Arena {
    alignas(8) std::array<std::byte, 256> bytes{};
};

std::span<const std::byte> build(Arena& arena, std::string_view host = "pier-7") {
    TableBuilder table(arena.bytes, Reading::VT_SAMPLES);
    const std::array<double, 3> samples{1.5, -2.0, 4.25};
    table.add(Reading::VT_FLAG, std::uint8_t{1});
    table.add_text(Reading::VT_HOST, host);
    table.add(Reading::VT_TIME, std::uint64_t{1} << 60U);
    table.add_vector<double>(Reading::VT_SAMPLES, samples);
    table.add(Reading::VT_VALUE, -7);
    return table.finish().value();
}

struct Receiver {
    int calls = 0;
    std::string host;
    Verdict operator()(const Reading& reading, const Message&) {
        ++calls;
        if (reading.host() != nullptr) host.assign(reading.host()->c_str(), reading.host()->size());
        return Verdict::accept;
    }
};

Verdict deliver(Topic<Reading>& topic, std::span<const std::byte> payload) { return topic.handler()(Message{.payload = payload}); }

TEST(TableBuilder, builds_what_a_generated_reader_verifies_and_reads) {
    Arena arena;
    const auto payload = build(arena);
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
    ASSERT_TRUE(verifier.VerifyBuffer<Reading>());
    const Reading& reading = *flatbuffers::GetRoot<Reading>(payload.data());
    EXPECT_EQ(reading.time(), std::uint64_t{1} << 60U);
    EXPECT_EQ(reading.value(), -7);
    EXPECT_TRUE(reading.flag());
    EXPECT_EQ(reading.host()->str(), "pier-7");
    ASSERT_EQ(reading.samples()->size(), 3U);
    EXPECT_EQ(reading.samples()->Get(2), 4.25);
}

TEST(TableBuilder, leaves_out_what_was_not_added) {
    Arena arena;
    TableBuilder table(arena.bytes, Reading::VT_SAMPLES);
    const auto payload = table.finish().value();
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
    ASSERT_TRUE(verifier.VerifyBuffer<Reading>());
    const Reading& reading = *flatbuffers::GetRoot<Reading>(payload.data());
    EXPECT_EQ(reading.value(), -1);
    EXPECT_EQ(reading.host(), nullptr);
}

TEST(TableBuilder, aligns_whatever_the_order_and_lengths_of_texts) {
    for (std::size_t length = 0; length < 17; ++length) {
        Arena arena;
        const auto payload = build(arena, std::string(length, 'x'));
        flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
        EXPECT_TRUE(verifier.VerifyBuffer<Reading>()) << length;
    }
}

TEST(TableBuilder, says_too_large_for_every_arena_that_is_too_small_and_writes_nothing_past_it) {
    Arena whole;
    const std::size_t needed = build(whole).size();
    for (std::size_t bytes = 0; bytes <= needed; ++bytes) {
        Arena arena;
        std::memset(arena.bytes.data(), 0x55, arena.bytes.size());
        TableBuilder table(std::span(arena.bytes).first(bytes), Reading::VT_SAMPLES);
        const std::array<double, 3> samples{1.5, -2.0, 4.25};
        table.add(Reading::VT_FLAG, std::uint8_t{1});
        table.add_text(Reading::VT_HOST, "pier-7");
        table.add(Reading::VT_TIME, std::uint64_t{1} << 60U);
        table.add_vector<double>(Reading::VT_SAMPLES, samples);
        table.add(Reading::VT_VALUE, -7);
        EXPECT_EQ(table.finish().ok(), bytes == needed) << bytes;
        for (std::size_t i = bytes; i < arena.bytes.size(); ++i) ASSERT_EQ(arena.bytes[i], std::byte{0x55});
    }
}

TEST(TypedTopic, hands_a_good_table_to_its_handler) {
    Receiver receiver;
    Topic<Reading> topic(Topic<Reading>::TypedHandler::of(receiver));
    Arena arena;
    EXPECT_EQ(deliver(topic, build(arena)), Verdict::accept);
    EXPECT_EQ(receiver.calls, 1);
    EXPECT_EQ(receiver.host, "pier-7");
}

TEST(TypedTopic, never_hands_a_bad_buffer_to_its_handler) {
    Receiver receiver;
    Topic<Reading> topic(Topic<Reading>::TypedHandler::of(receiver));
    EXPECT_EQ(deliver(topic, {}), Verdict::invalid);
    Arena arena;
    const auto good = build(arena);
    for (std::size_t length = 0; length < good.size() - 8; ++length) {
        Arena cut;
        std::memcpy(cut.bytes.data(), good.data(), length);
        EXPECT_EQ(deliver(topic, std::span<const std::byte>(cut.bytes).first(length)), Verdict::invalid) << length;
    }
    EXPECT_EQ(receiver.calls, 0);
}

TEST(TypedTopic, survives_random_bytes_and_flipped_bits) {
    Receiver receiver;
    Topic<Reading> topic(Topic<Reading>::TypedHandler::of(receiver));
    Random random(3);
    Arena arena;
    const auto good = build(arena);
    for (int i = 0; i < 20000; ++i) {
        // Exactly as long as the payload, so that a read past it is found.
        std::vector<std::uint64_t> words((good.size() + 7) / 8);
        const auto bytes = std::as_writable_bytes(std::span(words)).last(good.size() / 8 * 8);
        std::memcpy(bytes.data(), good.data(), bytes.size());
        const std::uint64_t flips = 1 + random.below(6);
        for (std::uint64_t flip = 0; flip < flips; ++flip) {
            const std::uint64_t at = random.below(bytes.size());
            bytes[static_cast<std::size_t>(at)] ^= std::byte{1} << random.below(8);
        }
        (void)deliver(topic, bytes);
    }
    EXPECT_GT(receiver.calls, 0);
}

}  // namespace
}  // namespace dunlin::bus
