#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

namespace dunlin {

// A struct that may be copied byte by byte to a packet, a journal or an image, and back: fixed width, and not a bit of padding
// that could hold a secret or differ between two runs. (No text or span: those only point at bytes.)
template <class T>
concept FixedWidth = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T> &&
    (std::is_class_v<T> || std::is_integral_v<T>)&&!requires(const T& value) {
    value.data();
};

// take() of `size` bytes: one function for every T.
[[nodiscard]] bool take_bytes(std::span<const std::byte>& bytes, void* to, std::size_t size);

// The bytes of `value`, for as long as it lives.
template <FixedWidth T>
[[nodiscard]] std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span<const T, 1>(&value, 1));
}

// Takes a whole T off the front of `bytes`, whatever its alignment. False, with both unchanged, where `bytes` is too short.
template <FixedWidth T>
[[nodiscard]] bool take(std::span<const std::byte>& bytes, T& value) {
    return take_bytes(bytes, &value, sizeof(T));
}

// The same where nothing may follow: false also where `bytes` is too long.
template <FixedWidth T>
[[nodiscard]] bool take_all(std::span<const std::byte> bytes, T& value) {
    return bytes.size() == sizeof(T) && take(bytes, value);
}

// Writes `value` at the front of `out`, which has room, and goes on behind it.
template <FixedWidth T>
void put(std::span<std::byte>& out, const T& value) {
    std::memcpy(out.data(), &value, sizeof(T));
    out = out.subspan(sizeof(T));
}

}  // namespace dunlin
