#include "commands.hpp"

#include "settings_text.hpp"

#include <algorithm>
#include <array>

namespace dunlin_wire {
namespace {

// A bar stands for itself, with spaces around it or without.
std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    bool inside = false;
    for (const char each : line) {
        if (each == ' ' || each == '\t' || each == '\r') {
            inside = false;
        } else if (each == '|' || !inside) {
            words.emplace_back(1, each);
            inside = each != '|';
        } else {
            words.back() += each;
        }
    }
    return words;
}

// Nothing where it was read into `share`.
std::string read_into(std::uint32_t& share, const std::string& command, const std::string& text) {
    const std::optional<std::uint32_t> read = read_share(text);
    if (!read) return command + " '" + text + "' must be " + kShareForm + ".";
    share = *read;
    return {};
}

}  // namespace

Commands::Answer Commands::obey(std::string_view line) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty()) return {"wrong: an empty line is no command."};
    const std::string& command = words.front();
    if (words.size() == 1 && (command == "figures" || command == "quit")) return {to_line(wire_.figures()), command == "quit"};
    const std::string wrong = change(command, Words(words).subspan(1));
    return {wrong.empty() ? "ok" : "wrong: " + wrong};
}

std::string Commands::change(const std::string& command, Words rest) {
    if (command == "partition") return split(rest);
    if (command == "heal" || command == "figures" || command == "quit") {
        if (!rest.empty()) return command + " takes nothing, and '" + rest.front() + "' was given.";
        if (command == "heal") wire_.partition().heal();
        return {};
    }
    static constexpr std::array kOfOneWord{"isolate", "join", "loss", "duplicate", "delay"};
    if (std::ranges::find(kOfOneWord, command) == kOfOneWord.end()) {
        return "there is no command '" + command + "': there are partition, isolate, join, heal, loss, duplicate, delay, figures and quit.";
    }
    if (rest.size() != 1) return command + " takes one word, and " + std::to_string(rest.size()) + " were given.";
    const std::string& word = rest.front();
    if (command == "loss") return read_into(wire_.impairment().loss_ppm, command, word);
    if (command == "duplicate") return read_into(wire_.impairment().duplicate_ppm, command, word);
    if (command == "delay") return set_delay(word);
    const std::optional<PortIndex> named = port(word);
    if (!named) return no_port(word);
    if (command == "isolate") {
        wire_.partition().isolate(*named);
    } else if (!wire_.partition().join(*named)) {
        return "the port '" + word + "' is not isolated.";
    }
    return {};
}

std::string Commands::split(Words words) {
    std::vector<std::vector<PortIndex>> groups(1);
    std::vector<PortIndex> seen;
    for (const std::string& word : words) {
        if (word == "|") {
            groups.emplace_back();
            continue;
        }
        const std::optional<PortIndex> named = port(word);
        if (!named) return no_port(word);
        if (std::ranges::find(seen, *named) != seen.end()) return "the port '" + word + "' is named twice.";
        seen.push_back(*named);
        groups.back().push_back(*named);
    }
    const bool any_empty = std::ranges::any_of(groups, [](const auto& group) { return group.empty(); });
    if (groups.size() < 2 || any_empty) return "partition takes two groups of ports or more, such as: partition A | B C.";
    wire_.partition().split(groups);
    return {};
}

std::string Commands::set_delay(const std::string& text) {
    const auto read = read_delay(text);
    if (!read) return "delay '" + text + "' must be " + kDelayForm + ".";
    wire_.impairment().delay_min = read->first;
    wire_.impairment().delay_max = read->second;
    return {};
}

std::optional<PortIndex> Commands::port(std::string_view name) const {
    const auto found = std::ranges::find(port_names_, name);
    if (found == port_names_.end()) return std::nullopt;
    return port_at(static_cast<std::size_t>(found - port_names_.begin()));
}

std::string Commands::no_port(std::string_view name) const {
    std::string all;
    for (const std::string& each : port_names_) all += (all.empty() ? "" : ", ") + each;
    return "there is no port '" + std::string(name) + "': there are " + all + ".";
}

}  // namespace dunlin_wire
