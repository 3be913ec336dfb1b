#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace dunlin::consensus::test {

// The records of a packet of consensus in words, a line each: "append t2 after 1.1: 2,2 commit 1".
[[nodiscard]] std::vector<std::string> describe_records(std::span<const std::byte> packet);

}  // namespace dunlin::consensus::test
