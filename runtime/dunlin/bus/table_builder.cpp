#include <dunlin/bus/table_builder.hpp>

#include <dunlin/core/assert.hpp>

namespace dunlin::bus {

namespace {

constexpr std::size_t kRootBytes = 4;  // offset of the table, at the start of the buffer
constexpr std::size_t kFieldReach = 0xffff;
constexpr std::uint16_t kFirstField = 4;  // vtable: its size, the table's size, then the fields
constexpr std::byte kZeros[8]{};

}  // namespace

TableBuilder::TableBuilder(std::span<std::byte> arena, std::uint16_t last_field)
    : arena_(arena), vtable_bytes_(static_cast<std::uint16_t>(last_field + 2)) {
    DUNLIN_ASSERT(reinterpret_cast<std::uintptr_t>(arena.data()) % 8 == 0);
    DUNLIN_ASSERT(last_field >= kFirstField && last_field % 2 == 0);
    table_ = (kRootBytes + vtable_bytes_ + 3) / 4 * 4;
    fits_ = table_ + 4 <= arena_.size();
    if (!fits_) return;
    std::memset(arena_.data(), 0, table_);
    used_ = table_;
    const auto to_vtable = static_cast<std::int32_t>(table_ - kRootBytes);
    put(&to_vtable, sizeof to_vtable, sizeof to_vtable);
}

// Copies to the next multiple of `alignment`; the position, or 0 where there is no room.
std::size_t TableBuilder::put(const void* bytes, std::size_t length, std::size_t alignment) {
    const std::size_t position = (used_ + alignment - 1) / alignment * alignment;
    if (!fits_ || position > arena_.size() || length > arena_.size() - position) {
        fits_ = false;
        return 0;
    }
    std::memset(arena_.data() + used_, 0, position - used_);
    if (length > 0) std::memcpy(arena_.data() + position, bytes, length);
    used_ = position + length;
    return position;
}

void TableBuilder::set_field(std::uint16_t field, std::size_t position) {
    DUNLIN_ASSERT(field >= kFirstField && field % 2 == 0 && field < vtable_bytes_);
    if (fits_ && position - table_ > kFieldReach) fits_ = false;
    if (!fits_) return;
    const auto offset = static_cast<std::uint16_t>(position - table_);
    std::memcpy(arena_.data() + kRootBytes + field, &offset, sizeof offset);
}

void TableBuilder::add_text(std::uint16_t field, std::string_view text) {
    add_sequence(field, std::as_bytes(std::span(text)), text.size(), 1, 1);
}

void TableBuilder::add_sequence(std::uint16_t field, std::span<const std::byte> bytes, std::size_t count, std::size_t alignment,
                                std::size_t terminator) {
    // The length in front of the elements is 4 bytes; where those align to 8, it must end at a multiple of 8.
    if (alignment == 8 && (used_ + 3) / 4 % 2 != 0) put(kZeros, 4, 4);
    std::uint32_t to_vector = 4;
    const std::size_t reference = put(&to_vector, sizeof to_vector, sizeof to_vector);
    set_field(field, reference);
    const auto length = static_cast<std::uint32_t>(count);
    put(&length, sizeof length, sizeof length);
    put(bytes.data(), bytes.size(), alignment);
    put(kZeros, terminator, 1);
}

Result<std::span<const std::byte>> TableBuilder::finish() {
    if (!fits_) return Status::too_large;
    const auto root = static_cast<std::uint32_t>(table_);
    const std::size_t inline_bytes = used_ - table_;
    const auto table_bytes = static_cast<std::uint16_t>(inline_bytes < kFieldReach ? inline_bytes : kFieldReach);
    std::memcpy(arena_.data(), &root, sizeof root);
    std::memcpy(arena_.data() + kRootBytes, &vtable_bytes_, sizeof vtable_bytes_);
    std::memcpy(arena_.data() + kRootBytes + 2, &table_bytes, sizeof table_bytes);
    return std::span<const std::byte>(arena_.first(used_));
}

}  // namespace dunlin::bus
