#include <dunlin/core/assert.hpp>
#include <dunlin/core/checksum.hpp>
#include <dunlin/ledger/image.hpp>
#include <dunlin/wire/record.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace dunlin::ledger {

static_assert(std::endian::native == std::endian::little, "rows are copied, not converted");
static_assert(wire::WireStruct<ImageHeader> && wire::WireStruct<LeaseRow> && wire::WireStruct<KeyRow> && wire::WireStruct<SessionRow> &&
              wire::WireStruct<MemberRow>);
static_assert(offsetof(ImageHeader, limits) == 6 && offsetof(ImageHeader, incarnation) == 16 &&
              offsetof(ImageHeader, applied_index) == 24 && offsetof(ImageHeader, applied_term) == 32 &&
              offsetof(ImageHeader, cluster_time) == 40 && offsetof(ImageHeader, state_hash) == 48 &&
              offsetof(ImageHeader, voters_index) == 56 && offsetof(ImageHeader, sessions_gone) == 64 &&
              offsetof(ImageHeader, voter_rate_ppm) == 72 && offsetof(ImageHeader, crc32c) == 84);
static_assert(offsetof(LeaseRow, deadline) == 8 && offsetof(LeaseRow, ttl_us) == 16 && offsetof(LeaseRow, holder_epoch) == 20 &&
              offsetof(LeaseRow, holder) == 24 && offsetof(LeaseRow, name) == 26);
static_assert(offsetof(KeyRow, value_length) == 8 && offsetof(KeyRow, name) == 10);
static_assert(offsetof(SessionRow, sequence) == 8 && offsetof(SessionRow, value) == 16 && offsetof(SessionRow, last_used) == 24 &&
              offsetof(SessionRow, node) == 32 && offsetof(SessionRow, detail) == 34 && offsetof(SessionRow, status) == 36);
static_assert(offsetof(MemberRow, node) == 8 && offsetof(MemberRow, address_length) == 10 && offsetof(MemberRow, flags) == 11 &&
              offsetof(MemberRow, address) == 12);

namespace {

constexpr std::size_t kChecksumOffset = offsetof(ImageHeader, crc32c);

std::uint32_t image_checksum(std::span<const std::byte> bytes) {
    const std::byte no_checksum[sizeof(std::uint32_t)]{};
    const std::uint32_t head = crc32c(no_checksum, crc32c(bytes.first(kChecksumOffset)));
    return crc32c(bytes.subspan(kChecksumOffset + sizeof no_checksum), head);
}

// Every byte at `offset` in the `rows` rows is at most `max`.
bool bounded(std::span<const std::byte> table, std::size_t rows, std::size_t stride, std::size_t offset, std::size_t max) {
    for (std::size_t i = 0; i < rows; ++i) {
        if (std::to_integer<std::size_t>(table[i * stride + offset]) > max) return false;
    }
    return true;
}

// What the checksum cannot promise of an image from a faulty writer: that no length leads out of its row.
bool lengths_sound(std::span<const std::byte> bytes, const LedgerLimits& limits) {
    const ImageLayout at = image_layout(limits);
    const std::size_t key_bytes = sizeof(KeyRow) + limits.value_bytes;
    for (std::size_t i = 0; i < limits.keys; ++i) {
        if (wire::load<KeyRow>(bytes.subspan(at.keys + i * key_bytes)).value_length > limits.value_bytes) return false;
    }
    return bounded(bytes.subspan(at.leases), limits.leases, sizeof(LeaseRow), offsetof(LeaseRow, name), kLeaseNameBytesMax) &&
           bounded(bytes.subspan(at.keys), limits.keys, key_bytes, offsetof(KeyRow, name), kKeyNameBytesMax) &&
           bounded(bytes.subspan(at.members), member_rows(limits), sizeof(MemberRow), offsetof(MemberRow, address_length),
                   kAddressBytesMax);
}

}  // namespace

RowName row_name(std::string_view name) {
    DUNLIN_ASSERT(name.size() <= sizeof RowName::text);
    RowName row{};
    row.length = static_cast<std::uint8_t>(name.size());
    std::ranges::copy(name, row.text);
    return row;
}

bool sound(const MemberRow& row) { return row.storage != 0 && row.node != 0 && row.address_length <= kAddressBytesMax; }

Status verify_image(std::span<const std::byte> bytes, const LedgerLimits& limits, std::uint32_t feature_level) {
    if (bytes.size() < sizeof(ImageHeader)) return Status::corrupt;
    const ImageHeader header = wire::load<ImageHeader>(bytes);
    if (header.magic != kImageMagic) return Status::corrupt;
    if (header.version != kImageVersion) return Status::unsupported_version;  // whose checksum may lie elsewhere
    if (header.crc32c != image_checksum(bytes)) return Status::corrupt;
    if (header.feature_level > feature_level) return Status::unsupported_version;
    const LedgerLimits claimed = header.limits;
    if (!valid(claimed) || bytes.size() != image_bytes(claimed)) return Status::corrupt;
    if (claimed != limits) return Status::invalid_argument;
    return lengths_sound(bytes, limits) ? Status::ok : Status::corrupt;
}

Image::Image(std::span<std::byte> bytes, const LedgerLimits& limits)
    : bytes_(bytes), header_(std::launder(reinterpret_cast<ImageHeader*>(bytes.data()))), limits_(limits), layout_(image_layout(limits)) {
    DUNLIN_ASSERT(valid(limits));
    DUNLIN_ASSERT(bytes.size() == layout_.total && reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(ImageHeader) == 0);
}

void Image::clear() {
    std::ranges::fill(bytes_, std::byte{});
    header_->magic = kImageMagic;
    header_->version = kImageVersion;
    header_->limits = limits_;
}

void Image::assign(std::span<const std::byte> verified) {
    DUNLIN_ASSERT(verified.size() == bytes_.size());
    if (verified.data() != bytes_.data()) std::memcpy(bytes_.data(), verified.data(), verified.size());
}

void Image::seal() { header_->crc32c = image_checksum(bytes_); }

void Image::load_at(std::size_t offset, void* row, std::size_t row_bytes) const { std::memcpy(row, bytes_.data() + offset, row_bytes); }

std::size_t Image::lease_at(std::size_t slot) const {
    DUNLIN_ASSERT(slot < limits_.leases);
    return layout_.leases + slot * sizeof(LeaseRow);
}

std::size_t Image::key_at(std::size_t slot) const {
    DUNLIN_ASSERT(slot < limits_.keys);
    return layout_.keys + slot * (sizeof(KeyRow) + limits_.value_bytes);
}

std::size_t Image::session_at(std::size_t slot) const {
    DUNLIN_ASSERT(slot < limits_.sessions);
    return layout_.sessions + slot * sizeof(SessionRow);
}

std::size_t Image::member_at(std::size_t slot) const {
    DUNLIN_ASSERT(slot < member_rows(limits_));
    return layout_.members + slot * sizeof(MemberRow);
}

LeaseRow Image::lease(std::size_t slot) const {
    LeaseRow row;
    load_at(lease_at(slot), &row, sizeof row);
    return row;
}
KeyRow Image::key(std::size_t slot) const {
    KeyRow row;
    load_at(key_at(slot), &row, sizeof row);
    return row;
}
SessionRow Image::session(std::size_t slot) const {
    SessionRow row;
    load_at(session_at(slot), &row, sizeof row);
    return row;
}
MemberRow Image::member(std::size_t slot) const {
    MemberRow row;
    load_at(member_at(slot), &row, sizeof row);
    return row;
}
std::span<const std::byte> Image::value(std::size_t slot) const {
    return bytes_.subspan(key_at(slot) + sizeof(KeyRow), key(slot).value_length);
}

// The first of `rows` rows that holds `wanted` at `first` and every `stride` bytes on.
std::uint16_t Image::find(std::size_t first, std::size_t stride, std::uint16_t rows, std::span<const std::byte> wanted) const {
    for (std::uint16_t slot = 0; slot < rows; ++slot) {
        if (std::memcmp(bytes_.data() + first + slot * stride, wanted.data(), wanted.size()) == 0) return slot;
    }
    return kNoSlot;
}

std::uint16_t Image::find_lease(std::string_view name) const {
    const RowName wanted = row_name(name);
    return find(layout_.leases + offsetof(LeaseRow, name), sizeof(LeaseRow), limits_.leases, bytes_of(wanted));
}

std::uint16_t Image::find_key(std::string_view name) const {
    const RowName wanted = row_name(name);
    return find(layout_.keys + offsetof(KeyRow, name), sizeof(KeyRow) + limits_.value_bytes, limits_.keys, bytes_of(wanted));
}

std::uint16_t Image::find_session(std::uint64_t id) const {
    return find(layout_.sessions, sizeof(SessionRow), limits_.sessions, std::as_bytes(std::span(&id, 1)));
}

std::uint16_t Image::find_member(std::uint16_t node) const {
    const auto rows = static_cast<std::uint16_t>(member_rows(limits_));
    return find(layout_.members + offsetof(MemberRow, node), sizeof(MemberRow), rows, std::as_bytes(std::span(&node, 1)));
}

std::span<const std::byte> Image::store_at(std::size_t offset, std::span<const std::byte> row) {
    const std::span<std::byte> place = bytes_.subspan(offset, row.size());
    std::memcpy(place.data(), row.data(), row.size());
    return place;
}

std::span<const std::byte> Image::store(std::size_t slot, const LeaseRow& row) { return store_at(lease_at(slot), bytes_of(row)); }

std::span<const std::byte> Image::store(std::size_t slot, const KeyRow& row, std::span<const std::byte> value) {
    DUNLIN_ASSERT(value.size() == row.value_length && value.size() <= limits_.value_bytes);
    const std::size_t at = key_at(slot);
    store_at(at, bytes_of(row));
    const std::span<std::byte> place = bytes_.subspan(at + sizeof row, limits_.value_bytes);
    std::ranges::fill(place, std::byte{});
    std::ranges::copy(value, place.begin());
    return bytes_.subspan(at, sizeof row + limits_.value_bytes);
}

std::span<const std::byte> Image::store(std::size_t slot, const SessionRow& row) { return store_at(session_at(slot), bytes_of(row)); }
std::span<const std::byte> Image::store(std::size_t slot, const MemberRow& row) { return store_at(member_at(slot), bytes_of(row)); }

}  // namespace dunlin::ledger
