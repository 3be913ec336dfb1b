#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dunlin {

// Messages of one lane keep their order; those of a higher lane overtake those of a lower one. The value is the lane's number in
// packets and journals; a node with n lanes (Limits::lanes) has the first n of them.
enum class Lane : std::uint8_t {
    normal,
    urgent,  // above normal: what must not wait behind it
    bulk,    // below normal: what may wait
};

inline constexpr std::size_t kLanesMax = 3;
inline constexpr std::array<Lane, kLanesMax> kLanesByPriority{Lane::urgent, Lane::normal, Lane::bulk};

[[nodiscard]] constexpr std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace dunlin
