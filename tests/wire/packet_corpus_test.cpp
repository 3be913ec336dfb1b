// The committed corpus of tests/fuzz/packet_fuzzer.cpp is made here, and this test fails when the two differ.
// With DUNLIN_WRITE_CORPUS set in the environment it writes the files instead of comparing them.
#include "wire/packets.hpp"

#include <dunlin/core/padding.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace dunlin::wire {
namespace {

using test::Bytes;
using test::packet_of;

// One record: head, `fixed` bytes that count up from 1, then `rest` bytes that count down, then padding.
Bytes record_of(RecordType type, std::size_t fixed, std::size_t rest) {
    const RecordHead head(static_cast<std::uint16_t>(kRecordHeadBytes + fixed + rest), static_cast<std::uint8_t>(type),
                          static_cast<std::uint8_t>(fixed));
    Bytes record(bytes_of(head).begin(), bytes_of(head).end());
    for (std::size_t i = 0; i < fixed; ++i) record.push_back(static_cast<std::byte>(i + 1));
    for (std::size_t i = 0; i < rest; ++i) record.push_back(static_cast<std::byte>(0xff - i));
    record.resize(padded_to<kRecordAlignment>(record.size()));
    return record;
}

std::map<std::string, Bytes> corpus() {
    std::map<std::string, Bytes> files;
    std::size_t rest = 0;
    Bytes all;
    for (const RecordType type : EnumValuesRecordType()) {
        if (type == RecordType::none) continue;
        const Bytes record = record_of(type, 24, rest++ % 32);
        files[EnumNameRecordType(type)] = packet_of(record);
        all.insert(all.end(), record.begin(), record.end());
    }
    files["every_type"] = packet_of(all);
    files["no_record"] = packet_of({});
    files["unknown_type"] = packet_of(record_of(static_cast<RecordType>(200), 8, 3));
    files["older_fixed_part"] = packet_of(record_of(RecordType::hello, 8, 4));
    files["newer_fixed_part"] = packet_of(record_of(RecordType::ping, 248, 1));
    files["no_fixed_part"] = packet_of(record_of(RecordType::run, 0, 0));
    files["overrun"] = packet_of({16, 0, 9, 8, 1, 1, 1, 1, 1, 1, 1, 1});
    files["fixed_part_overrun"] = packet_of({12, 0, 9, 9, 1, 1, 1, 1, 1, 1, 1, 1});
    files["endless"] = packet_of({0, 0, 9, 0});
    files["padding_not_zero"] = packet_of({5, 0, 9, 0, 1, 0, 0, 1});
    files["header_cut"] = packet_of({});
    files["header_cut"].pop_back();
    files["checksum_wrong"] = packet_of({});
    files["checksum_wrong"][4] ^= std::byte{1};
    return files;
}

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

TEST(PacketCorpus, is_what_this_test_makes) {
    const std::string folder = DUNLIN_PACKET_CORPUS "/";
    if (std::getenv("DUNLIN_WRITE_CORPUS") != nullptr) {
        for (const auto& [name, bytes] : corpus()) std::ofstream(folder + name, std::ios::binary) << text_of(bytes);
    }
    for (const auto& [name, bytes] : corpus()) {
        std::ifstream file(folder + name, std::ios::binary);
        ASSERT_TRUE(file) << name;
        EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text_of(bytes)) << name;
    }
}

}  // namespace
}  // namespace dunlin::wire
