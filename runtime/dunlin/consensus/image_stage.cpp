#include <dunlin/consensus/image_stage.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/checksum.hpp>

#include <cstring>

namespace dunlin::consensus {

bool ImageStage::freeze(const ImagePoint& point, std::span<const std::byte> image) {
    DUNLIN_ASSERT(!pending());
    if (image.empty() || image.size() > staging_.size()) return false;
    std::memcpy(staging_.data(), image.data(), image.size());
    point_ = point;
    total_ = static_cast<std::uint32_t>(image.size());
    checksum_ = crc32c(image);
    state_ = State::sending;
    return true;
}

bool ImageStage::take(const ImagePoint& point, std::uint32_t total, std::uint32_t checksum, std::uint32_t offset,
                      std::span<const std::byte> chunk) {
    if (pending()) return true;
    if (total == 0 || total > staging_.size() || offset > total || chunk.size() > total - offset) return false;
    if (state_ != State::receiving || point != point_ || total != total_ || checksum != checksum_) {
        point_ = point;
        total_ = total;
        checksum_ = checksum;
        received_ = 0;
        state_ = State::receiving;
    }
    if (offset != received_ || chunk.empty()) return true;
    std::memcpy(&staging_[offset], chunk.data(), chunk.size());
    received_ += static_cast<std::uint32_t>(chunk.size());
    if (received_ < total_) return true;
    if (crc32c(bytes()) == checksum_)
        state_ = State::complete;
    else
        received_ = 0;  // all of it again
    return true;
}

void ImageStage::begin_install() {
    DUNLIN_ASSERT(state_ == State::complete);
    state_ = State::installing;
}

}  // namespace dunlin::consensus
