#include <commands.hpp>

#include <gmock/gmock.h>

#include <string>

namespace dunlin_wire {
namespace {

using dunlin::microseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr PortIndex kA{0};
constexpr PortIndex kB{1};
constexpr PortIndex kC{2};

class CommandsTest : public testing::Test {
  protected:
    Wire wire_{3, 1};
    Commands commands_{wire_, {"A", "B", "C"}};

    [[nodiscard]] std::string answer(std::string_view line) { return commands_.obey(line).line; }
    [[nodiscard]] bool connected(PortIndex one, PortIndex other) { return wire_.partition().connected(one, other); }
};

TEST_F(CommandsTest, cut_and_heal) {
    for (const char* const line : {"partition A | B C", "  partition\tA|B  C\r"}) {
        EXPECT_EQ(answer(line), "ok");
        EXPECT_FALSE(connected(kA, kB) || connected(kA, kC));
        EXPECT_TRUE(connected(kB, kC));
        EXPECT_EQ(answer("heal"), "ok");
        EXPECT_TRUE(connected(kA, kB));
    }
    EXPECT_EQ(answer("isolate B"), "ok");
    EXPECT_FALSE(connected(kA, kB));
    EXPECT_EQ(answer("join B"), "ok");
    EXPECT_TRUE(connected(kA, kB));
}

TEST_F(CommandsTest, set_what_frames_go_through) {
    EXPECT_EQ(answer("loss 50000"), "ok");
    EXPECT_EQ(answer("duplicate 1000000"), "ok");
    EXPECT_EQ(answer("delay 100..2000"), "ok");
    EXPECT_EQ(wire_.impairment().loss_ppm, 50'000U);
    EXPECT_EQ(wire_.impairment().duplicate_ppm, 1'000'000U);
    EXPECT_EQ(wire_.impairment().delay_min, microseconds{100});
    EXPECT_EQ(wire_.impairment().delay_max, microseconds{2000});
    EXPECT_EQ(answer("delay 7"), "ok");
    EXPECT_EQ(wire_.impairment().delay_min, microseconds{7});
    EXPECT_EQ(wire_.impairment().delay_max, microseconds{7});
}

TEST_F(CommandsTest, figures_and_quit_are_answered_by_the_line_of_figures) {
    for (const bool quits : {false, true}) {
        const Commands::Answer given = commands_.obey(quits ? "quit" : "figures");
        EXPECT_EQ(given.line, to_line(wire_.figures()));
        EXPECT_EQ(given.quits, quits);
    }
}

TEST_F(CommandsTest, a_wrong_one_is_told_what_is_wrong_and_changes_nothing) {
    ASSERT_EQ(answer("isolate B"), "ok");
    const std::pair<const char*, const char*> wrong[] = {
        {"", "empty line"},
        {"   ", "empty line"},
        {"los 1", "no command 'los'"},
        {"loss", "loss takes one word, and 0 were given"},
        {"loss 1 2", "loss takes one word, and 2 were given"},
        {"loss 1000001", "loss '1000001' must be parts per million"},
        {"loss -1", "loss '-1'"},
        {"duplicate 5%", "duplicate '5%' must be"},
        {"delay 2..1", "delay '2..1' must be A..B"},
        {"delay 1..", "delay '1..'"},
        {"delay 1..10000001", "delay '1..10000001'"},
        {"delay 1.5", "delay '1.5'"},
        {"heal A", "heal takes nothing, and 'A' was given"},
        {"figures now", "figures takes nothing, and 'now' was given"},
        {"quit now", "quit takes nothing"},
        {"isolate", "isolate takes one word"},
        {"isolate D", "no port 'D': there are A, B, C"},
        {"join A", "port 'A' is not isolated"},
        {"partition", "two groups"},
        {"partition A B", "two groups"},
        {"partition A |", "two groups"},
        {"partition A || B", "two groups"},
        {"partition A | B A", "port 'A' is named twice"},
        {"partition A | X", "no port 'X'"},
    };
    for (const auto& [line, words] : wrong) {
        const Commands::Answer given = commands_.obey(line);
        EXPECT_THAT(given.line, AllOf(StartsWith("wrong: "), HasSubstr(words), testing::EndsWith(".")));
        EXPECT_FALSE(given.quits);
    }
    EXPECT_FALSE(connected(kA, kB));
    EXPECT_TRUE(connected(kA, kC));
    EXPECT_EQ(wire_.impairment().loss_ppm, 0U);
    EXPECT_EQ(wire_.impairment().duplicate_ppm, 0U);
    EXPECT_EQ(wire_.impairment().delay_max, microseconds{0});
}

}  // namespace
}  // namespace dunlin_wire
