#pragma once

#include "frame.hpp"
#include "wire.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin_wire {

// What a person or a test may say to a running switch, one line each:
//
//     partition A | B C     A reaches neither B nor C any more; a port that is not named reaches all
//     isolate A             A reaches nobody
//     join A                ends that
//     heal                  ends the partition and every isolation
//     loss PPM              from now on
//     duplicate PPM
//     delay A..B            microseconds
//     figures               answered by the line of figures
//     quit                  the same, and it is the last one
//
// Each is answered with one line: "ok", the figures, or "wrong: " and a sentence that names what is wrong, after which nothing has changed.
class Commands {
  public:
    struct Answer {
        std::string line;
        bool quits = false;
    };

    // `port_names`: by PortIndex.
    Commands(Wire& wire, std::vector<std::string> port_names) : wire_(wire), port_names_(std::move(port_names)) {}
    [[nodiscard]] Answer obey(std::string_view line);

  private:
    using Words = std::span<const std::string>;
    // Each gives the sentence that says what is wrong, or nothing where it was done.
    [[nodiscard]] std::string change(const std::string& command, Words rest);
    [[nodiscard]] std::string split(Words words);
    [[nodiscard]] std::string set_delay(const std::string& text);
    [[nodiscard]] std::optional<PortIndex> port(std::string_view name) const;
    [[nodiscard]] std::string no_port(std::string_view name) const;

    Wire& wire_;
    std::vector<std::string> port_names_;
};

}  // namespace dunlin_wire
