#pragma once

#include <dunlin/core/bytes.hpp>
#include <dunlin/wire/wire.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <span>

namespace dunlin::wire {

// Copies what there is of `size` bytes, and zeroes the rest.
void load_bytes(std::span<const std::byte> from, void* to, std::size_t size);

// The struct at the start of `bytes`, whatever their alignment; fields past the end of `bytes` are zero. O(sizeof S).
template <WireStruct S>
[[nodiscard]] S load(std::span<const std::byte> bytes) {
    alignas(S) std::array<std::byte, sizeof(S)> image;
    constexpr bool kInPlace = sizeof(S) <= 8;  // as few instructions as the call
    if (kInPlace && bytes.size() >= sizeof(S)) {
        std::memcpy(image.data(), bytes.data(), sizeof(S));
    } else {
        load_bytes(bytes, image.data(), image.size());
    }
    return std::bit_cast<S>(image);
}

// One record of a packet: views into the packet, valid as long as its buffer.
struct Record {
    RecordType type = RecordType::none;
    std::span<const std::byte> fixed{};  // as its sender knew it: may be shorter or longer than today's struct
    std::span<const std::byte> bytes{};  // what follows the fixed part; not validated yet

    // The fixed part as S: what an older sender did not know is zero, what a newer one added is left out.
    template <FixedPart S>
    [[nodiscard]] S as() const {
        return load<S>(fixed);
    }
};

}  // namespace dunlin::wire
