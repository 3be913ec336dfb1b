#include <dunlin/wire/packet_writer.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/padding.hpp>
#include <dunlin/wire/packet_checksum.hpp>

#include <algorithm>
#include <cstring>

namespace dunlin::wire {
namespace {

void copy(std::span<std::byte> to, std::span<const std::byte> from) {
    if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

std::span<std::byte> usable(std::span<std::byte> buffer) {
    const std::size_t bytes = std::min(buffer.size(), kPacketBytesLimit);
    return buffer.first(bytes / kRecordAlignment * kRecordAlignment);
}

}  // namespace

PacketWriter::PacketWriter(std::span<std::byte> buffer) : buffer_(usable(buffer)) { DUNLIN_ASSERT(buffer_.size() >= kHeaderBytes); }

std::size_t PacketWriter::room() const {
    const std::size_t left = buffer_.size() - used_;
    const std::size_t taken = open() ? open_bytes_ : kRecordHeadBytes;
    return left < taken ? 0 : left - taken;
}

bool PacketWriter::record_bytes(RecordType type, std::span<const std::byte> fixed, std::span<const std::byte> bytes) {
    if (room() < fixed.size() + bytes.size()) return false;
    if (!begin_bytes(type, fixed)) return false;
    const bool appended = append(bytes);
    DUNLIN_ASSERT(appended);
    end();
    return true;
}

bool PacketWriter::begin_bytes(RecordType type, std::span<const std::byte> fixed) {
    DUNLIN_ASSERT(!open() && type != RecordType::none);
    if (room() < fixed.size()) return false;
    const RecordHead head(0, static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(fixed.size()));
    copy(buffer_.subspan(used_), bytes_of(head));
    copy(buffer_.subspan(used_ + kRecordHeadBytes), fixed);
    open_fixed_bytes_ = fixed.size();
    open_bytes_ = kRecordHeadBytes + fixed.size();
    return true;
}

bool PacketWriter::append(std::span<const std::byte> bytes) {
    DUNLIN_ASSERT(open());
    if (room() < bytes.size()) return false;
    copy(buffer_.subspan(used_ + open_bytes_), bytes);
    open_bytes_ += bytes.size();
    return true;
}

std::span<std::byte> PacketWriter::extend(std::size_t length, std::size_t zero_from) {
    DUNLIN_ASSERT(open());
    if (room() < length) return {};
    const std::span<std::byte> added = buffer_.subspan(used_ + open_bytes_, length);
    std::ranges::fill(added.subspan(zero_from), std::byte{0});
    open_bytes_ += length;
    return added;
}

void PacketWriter::patch_bytes(std::span<const std::byte> fixed) {
    DUNLIN_ASSERT(open() && fixed.size() == open_fixed_bytes_);
    copy(buffer_.subspan(used_ + kRecordHeadBytes), fixed);
}

void PacketWriter::end() {
    DUNLIN_ASSERT(open());
    const auto length = static_cast<std::uint16_t>(open_bytes_);
    auto head = load<RecordHead>(buffer_.subspan(used_));
    head = RecordHead(length, head.type(), head.fixed_length());
    copy(buffer_.subspan(used_), bytes_of(head));
    const std::size_t padded = padded_to<kRecordAlignment>(open_bytes_);
    std::memset(buffer_.data() + used_ + open_bytes_, 0, padded - open_bytes_);
    used_ += padded;
    open_bytes_ = 0;
}

void PacketWriter::cancel() {
    DUNLIN_ASSERT(open());
    open_bytes_ = 0;
}

std::size_t PacketWriter::finish(const PacketHeader& header) {
    DUNLIN_ASSERT(!open());
    const auto with_checksum = [&header](std::uint32_t checksum) {
        return PacketHeader(kMagic, kVersion, header.flags(), checksum, header.cluster(), header.source(), header.destination(),
                            header.epoch(), header.session(), header.number());
    };
    copy(buffer_, bytes_of(with_checksum(0)));
    copy(buffer_, bytes_of(with_checksum(packet_checksum(buffer_.first(used_)))));
    return used_;
}

}  // namespace dunlin::wire
