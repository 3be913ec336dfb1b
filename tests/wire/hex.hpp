#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin::test {

inline std::vector<std::byte> from_hex(std::string_view digits) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

inline std::string to_hex(std::span<const std::byte> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string digits;
    for (const std::byte byte : bytes) {
        digits += kDigits[std::to_integer<std::size_t>(byte >> 4)];
        digits += kDigits[std::to_integer<std::size_t>(byte & std::byte{0xf})];
    }
    return digits;
}

}  // namespace dunlin::test
