#pragma once

#include <dunlin/consensus/entry.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin::consensus {

// The one staging span for images: at a leader the frozen image that is being sent, at a follower the one that is
// being received. Invariant: never both.
class ImageStage {
  public:
    enum class State : std::uint8_t { empty, sending, receiving, complete, installing };

    explicit ImageStage(std::span<std::byte> staging) : staging_(staging) {}

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] const ImagePoint& point() const { return point_; }
    [[nodiscard]] std::uint32_t total() const { return total_; }
    [[nodiscard]] std::uint32_t checksum() const { return checksum_; }
    [[nodiscard]] std::uint32_t received() const { return received_; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return staging_.first(total_); }
    // Complete and not yet durable here: nothing else may be staged, and this node neither appends nor campaigns.
    [[nodiscard]] bool pending() const { return state_ == State::complete || state_ == State::installing; }

    [[nodiscard]] bool holds(std::size_t bytes) const { return bytes <= staging_.size(); }
    // Freezes an image for sending; false when it is empty or longer than the staging span. O(length).
    bool freeze(const ImagePoint& point, std::span<const std::byte> image);
    // One chunk of an image. Chunks are taken in order only, others are passed over; another image than the one begun
    // starts from 0, and so does one whose checksum is wrong at its end. While pending() nothing is taken. Returns false
    // when the chunk is malformed, or of an image longer than the staging span. O(chunk), last: O(image).
    bool take(const ImagePoint& point, std::uint32_t total, std::uint32_t checksum, std::uint32_t offset, std::span<const std::byte> chunk);
    void begin_install();  // complete -> installing
    void clear() { state_ = State::empty; }

  private:
    std::span<std::byte> staging_;
    ImagePoint point_{};
    std::uint32_t total_ = 0;
    std::uint32_t checksum_ = 0;  // CRC32C of the whole image
    std::uint32_t received_ = 0;
    State state_ = State::empty;
};

}  // namespace dunlin::consensus
