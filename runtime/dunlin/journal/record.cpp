#include <dunlin/core/assert.hpp>
#include <dunlin/core/checksum.hpp>
#include <dunlin/journal/record.hpp>

#include <cstring>

namespace dunlin::journal {

std::uint32_t record_crc(RecordHead& head, std::span<const std::byte> payload, std::uint32_t seed) {
    head.crc = 0;
    return crc32c(payload, crc32c(std::as_bytes(std::span{&head, 1}), seed));
}

void seal_records(std::span<std::byte> records, JournalSequence synced_through, std::uint32_t seed, std::uint32_t align) {
    while (!records.empty()) {
        RecordHead head{};
        DUNLIN_ASSERT(records.size() >= sizeof head);
        std::memcpy(&head, records.data(), sizeof head);
        const std::uint32_t bytes = record_bytes(head.length, align);
        DUNLIN_ASSERT(bytes <= records.size());
        head.synced_through = synced_through.value();
        head.crc = record_crc(head, records.subspan(sizeof head, head.length), seed);
        std::memcpy(records.data(), &head, sizeof head);
        records = records.subspan(bytes);
    }
}

}  // namespace dunlin::journal
