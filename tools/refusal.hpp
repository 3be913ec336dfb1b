#pragma once

#include <dunlin/core/status.hpp>

#include <initializer_list>
#include <string>

namespace dunlin_tool {

// What one status means of one request.
struct Meaning {
    dunlin::Status status;
    std::string sentence;
};

// As a sentence for people without its full stop, what the node calls by the name of a Status: one of `own`, or what it means of every
// request.
[[nodiscard]] std::string refusal(const std::string& status, std::initializer_list<Meaning> own);

}  // namespace dunlin_tool
