#pragma once

#include <dunlin/core/limits.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace station {

inline constexpr std::size_t kSeedsMax = 8;

// What a node of the examples is told at its start: words of the form key=value, behind the program's name. On a host they are the command
// line; on a board what it was built or started with (board::kArgumentsMax). All text points into those words.
//
//     id=13                       1..65535, unique in the cluster
//     cluster=plant               1..32 bytes; default "dunlin"
//     address=10.9.0.13:7000      this node's own, a.b.c.d:port, where the others reach it
//     netmask=255.255.255.0       boards; hosts have their own. This is the default
//     gateway=10.9.0.1            boards; default: none, only the own network is reached
//     seeds=10.9.0.1:7000,...     whom to contact first, at most kSeedsMax; default: nobody
//     journal=node.journal        a host: the file, made where there is none; default: none. A board has its storage, or does not start
//     journal=none                none, on a board too
//     loss_ppm=50000              so many of a million packets are lost on sending, to see what happens; default: 0
//     entropy=1f..                passed over: what the random numbers of a board without a better source are made of is its own affair
//     format=yes                  gives a blank storage a journal though the board's random numbers may repeat (machine::has_entropy()). For
//                                 a voter's first start alone: a voter whose storage was wiped would come back as if it had its memory
struct Settings {
    std::uint16_t id = 0;
    std::string_view cluster = "dunlin";
    std::string_view address{};
    std::string_view netmask = "255.255.255.0";
    std::string_view gateway{};
    std::string_view journal{};
    std::uint32_t loss_ppm = 0;
    bool format = false;
    std::array<std::string_view, kSeedsMax> seeds{};
    std::size_t seed_count = 0;

    [[nodiscard]] std::span<const std::string_view> seed_addresses() const { return std::span(seeds).first(seed_count); }
    [[nodiscard]] bool without_journal() const { return journal == "none"; }
};

// What is wrong with a word: "'<word>' <reason>". Both outlive the call.
struct WrongSetting {
    std::string_view word{};
    std::string_view reason{};
};

// Reads the words behind the first. Nothing: all is well, and `settings` holds them. Whether addresses are some that the network knows is
// for who opens it to say.
[[nodiscard]] std::optional<WrongSetting> read_settings(int argc, const char* const* argv, Settings& settings);

}  // namespace station
