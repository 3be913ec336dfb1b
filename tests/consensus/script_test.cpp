#include "consensus/script.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace dunlin::consensus::test {
namespace {

// The names of the files in scripts/, without their endings.
std::vector<std::string> scripts() {
    std::istringstream in(DUNLIN_SCRIPTS);
    return {std::istream_iterator<std::string>(in), {}};
}

std::string path_of(const std::string& script) { return DUNLIN_SCRIPT_FOLDER "/" + script + ".txt"; }

std::string content(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

class Script : public testing::TestWithParam<std::string> {};

// With DUNLIN_REWRITE_SCRIPTS set the files are made to say what happens, for somebody to read and judge.
TEST_P(Script, says_what_happens) {
    const std::string played = play(read_script(path_of(GetParam())));
    EXPECT_EQ(played.find("| ? "), std::string::npos) << "a step that is not understood:\n" << played;
    if (std::getenv("DUNLIN_REWRITE_SCRIPTS") != nullptr) std::ofstream(path_of(GetParam())) << played;
    EXPECT_EQ(content(path_of(GetParam())), played);
}

INSTANTIATE_TEST_SUITE_P(Consensus, Script, testing::ValuesIn(scripts()), [](const auto& each) { return each.param; });

TEST(ScriptReader, says_which_step_it_does_not_know) {
    const std::vector<ScriptLine> script{{.text = {}, .words = {"voters", "1"}}, {.text = {}, .words = {"dance", "1"}}};
    EXPECT_NE(play(script).find("dance 1                             | ? no step 'dance'"), std::string::npos) << play(script);
}

}  // namespace
}  // namespace dunlin::consensus::test
