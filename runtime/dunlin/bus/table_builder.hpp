#pragma once

#include <dunlin/core/status.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace dunlin::bus {

// Builds one FlatBuffers table in memory that somebody else owns. (flatbuffers::FlatBufferBuilder refers to operator new and
// delete even with its own allocator, and so may not be part of a board's image.) Fields may come in any order, each
// once; the constants are those that flatc generates:
//
//     alignas(8) std::array<std::byte, 256> arena;
//     TableBuilder table(arena, Telemetry::VT_LOAD);      // the table's last field
//     table.add(Telemetry::VT_TIME, now_us);
//     table.add_text(Telemetry::VT_HOST, "pier-7");
//     auto payload = table.finish();
//
// Unlike with flatc's builder, offsets point forward from the table to a vtable in front of it, and texts lie between the
// scalars; any FlatBuffers reader takes both. Invariant: nothing is written past the arena; once something does not fit,
// or lies out of a field's reach (64 KiB), finish() says too_large.
class TableBuilder {
  public:
    // `last_field`: the highest field id's vtable offset, 4, 6, 8... `arena` is 8-byte aligned (asserted).
    TableBuilder(std::span<std::byte> arena, std::uint16_t last_field);

    template <class Scalar>
    requires(std::is_arithmetic_v<Scalar> || std::is_enum_v<Scalar>) void add(std::uint16_t field, Scalar value) {
        set_field(field, put(&value, sizeof value, sizeof value));
    }
    void add_text(std::uint16_t field, std::string_view text);
    // A vector of scalars.
    template <class Scalar>
    requires std::is_arithmetic_v<Scalar>
    void add_vector(std::uint16_t field, std::span<const Scalar> values) {
        add_sequence(field, std::as_bytes(values), values.size(), sizeof(Scalar), 0);
    }
    // The buffer, ready to be published: a part of the arena.
    [[nodiscard]] Result<std::span<const std::byte>> finish();

  private:
    std::size_t put(const void* bytes, std::size_t length, std::size_t alignment);
    void set_field(std::uint16_t field, std::size_t position);
    void add_sequence(std::uint16_t field, std::span<const std::byte> bytes, std::size_t count, std::size_t alignment,
                      std::size_t terminator);

    std::span<std::byte> arena_;
    std::size_t used_ = 0;
    std::size_t table_ = 0;
    std::uint16_t vtable_bytes_;
    bool fits_ = true;
};

}  // namespace dunlin::bus
