#pragma once

#include "exit_code.hpp"

#include <exception>
#include <string>
#include <utility>

namespace dunlin_tool {

// Ends the command with one sentence on standard error and this exit code. Thrown before or beside the loop, never inside
// a node's handler.
struct ToolError : std::exception {
    ToolError(ExitCode exit_code, std::string sentence) : code(exit_code), message(std::move(sentence)) {}
    [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }

    ExitCode code;
    std::string message;
};

}  // namespace dunlin_tool
