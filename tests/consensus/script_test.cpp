#include "consensus/script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace dunlin::consensus::test {
namespace {

std::vector<std::filesystem::path> scripts() {
    std::vector<std::filesystem::path> paths;
    for (const auto& each : std::filesystem::directory_iterator(DUNLIN_SCRIPTS)) paths.push_back(each.path());
    std::ranges::sort(paths);
    return paths;
}

std::string content(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

class Script : public testing::TestWithParam<std::filesystem::path> {};

// With DUNLIN_REWRITE_SCRIPTS set the files are made to say what happens, for somebody to read and judge.
TEST_P(Script, says_what_happens) {
    const std::string played = play(read_script(GetParam()));
    EXPECT_EQ(played.find("| ? "), std::string::npos) << "a step that is not understood:\n" << played;
    if (std::getenv("DUNLIN_REWRITE_SCRIPTS") != nullptr) std::ofstream(GetParam()) << played;
    EXPECT_EQ(content(GetParam()), played);
}

INSTANTIATE_TEST_SUITE_P(Consensus, Script, testing::ValuesIn(scripts()), [](const auto& each) { return each.param.stem().string(); });

TEST(ScriptReader, says_which_step_it_does_not_know) {
    const std::vector<ScriptLine> script{{.text = {}, .words = {"voters", "1"}}, {.text = {}, .words = {"dance", "1"}}};
    EXPECT_NE(play(script).find("dance 1                             | ? no step 'dance'"), std::string::npos) << play(script);
}

}  // namespace
}  // namespace dunlin::consensus::test
