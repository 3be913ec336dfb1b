#pragma once

#include <dunlin/wire/record.hpp>

#include <cstddef>
#include <span>

namespace dunlin::wire {

// Writes one packet into a buffer that somebody else owns: records one after the other, the header last. Whatever does
// not fit is refused as a whole and changes nothing. Invariant: what was written so far is a well-formed run of records,
// plus at most one record that is still open. Every call costs O(bytes written).
class PacketWriter {
  public:
    // `buffer` holds at least a header (asserted). At most kPacketBytesLimit of it are used, in whole multiples of 4.
    explicit PacketWriter(std::span<std::byte> buffer);

    // Bytes that are left for the fixed part and bytes of one more record; inside an open record: for more of its bytes.
    [[nodiscard]] std::size_t room() const;
    // No record is complete yet: the packet would say nothing.
    [[nodiscard]] bool empty() const { return used_ == kHeaderBytes; }
    // Bytes of the packet so far, header included, the open record not included.
    [[nodiscard]] std::size_t size() const { return used_; }

    // A whole record; false and unchanged where there is no room. No record may be open.
    template <FixedPart S>
    [[nodiscard]] bool record(RecordType type, const S& fixed, std::span<const std::byte> bytes = {}) {
        return record_bytes(type, bytes_of(fixed), bytes);
    }

    // An open record grows by append() and extend() until end() or cancel(). False and unchanged where there is no room
    // for its fixed part. No record may be open.
    template <FixedPart S>
    [[nodiscard]] bool begin(RecordType type, const S& fixed) {
        return begin_bytes(type, bytes_of(fixed));
    }
    [[nodiscard]] bool append(std::span<const std::byte> bytes);  // false and unchanged where there is no room
    // Bytes to fill in, zeroed from `zero_from` on: those before are all written by the caller. Empty: no room, or length 0.
    [[nodiscard]] std::span<std::byte> extend(std::size_t length, std::size_t zero_from = 0);
    // Replaces the open record's fixed part (a count that is known only now); of the type that it was begun with.
    template <FixedPart S>
    void patch(const S& fixed) {
        patch_bytes(bytes_of(fixed));
    }
    void end();     // the open record is complete
    void cancel();  // the open record never was

    // Writes the header, its magic, version and checksum filled in whatever `header` says there. The packet's size; the
    // writer is not used again. No record may be open.
    [[nodiscard]] std::size_t finish(const PacketHeader& header);

  private:
    [[nodiscard]] bool record_bytes(RecordType type, std::span<const std::byte> fixed, std::span<const std::byte> bytes);
    [[nodiscard]] bool begin_bytes(RecordType type, std::span<const std::byte> fixed);
    void patch_bytes(std::span<const std::byte> fixed);
    [[nodiscard]] bool open() const { return open_bytes_ > 0; }

    std::span<std::byte> buffer_;
    std::size_t used_ = kHeaderBytes;  // up to here records are complete
    std::size_t open_bytes_ = 0;       // length of the open record, head included; 0: none is open
    std::size_t open_fixed_bytes_ = 0;
};

}  // namespace dunlin::wire
