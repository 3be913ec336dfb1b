#include "consensus/script.hpp"

#include "consensus/script_cluster.hpp"

#include <fstream>
#include <optional>
#include <sstream>

namespace dunlin::consensus::test {
namespace {

constexpr std::size_t kBarColumn = 36;
constexpr std::size_t kRingEntries = 32;

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

std::string trimmed(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(' ');
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

std::string side_by_side(const std::string& step, const std::vector<std::string>& printed) {
    if (printed.empty()) return step + "\n";
    std::string text;
    for (std::size_t i = 0; i < printed.size(); ++i) {
        std::string left = i == 0 ? step : "";
        left.resize(std::max(kBarColumn, left.size() + 1), ' ');
        text += left + "| " + printed[i] + "\n";
    }
    return text;
}

// `voters 3 nodes 5 ring 8`
ScriptCluster founded(const std::vector<std::string>& words) {
    const auto value = [&](const std::string& name, std::size_t otherwise) {
        for (std::size_t i = 0; i + 1 < words.size(); ++i) {
            if (words[i] == name) return static_cast<std::size_t>(std::stoul(words[i + 1]));
        }
        return otherwise;
    };
    return {value("voters", 3), value("nodes", 0), value("ring", kRingEntries)};
}

}  // namespace

std::vector<ScriptLine> read_script(const std::string& path) {
    std::vector<ScriptLine> lines;
    std::ifstream in(path);
    for (std::string text; std::getline(in, text);) {
        const std::size_t bar = text.starts_with('#') ? std::string::npos : text.find('|');
        const std::string step = trimmed(text.substr(0, bar));
        if (bar != std::string::npos && step.empty()) continue;  // goes on with what the step above it printed
        lines.push_back({.text = text, .words = step.starts_with('#') ? std::vector<std::string>{} : words_of(step)});
    }
    return lines;
}

std::string play(const std::vector<ScriptLine>& script) {
    std::optional<ScriptCluster> cluster;
    std::string text;
    for (const ScriptLine& line : script) {
        if (line.words.empty()) {
            text += line.text + "\n";
            continue;
        }
        std::string step;
        for (const std::string& word : line.words) step += (step.empty() ? "" : " ") + word;
        const bool founds = line.words.front() == "voters";
        if (founds) cluster.emplace(founded(line.words));
        if (!cluster) return text + "? the first step is 'voters N'\n";
        text += side_by_side(step, cluster->run(founds ? std::vector<std::string>{"start"} : line.words));
    }
    return text;
}

}  // namespace dunlin::consensus::test
