#include "path_table_rules.hpp"

#include <dunlin_lwip/path_table.hpp>

#include <cstdint>

namespace path_table_rules {
namespace {

struct Lwip {
    static dunlin_lwip::PathTable make(std::size_t paths_max) { return dunlin_lwip::PathTable(paths_max); }
    static dunlin_lwip::Endpoint far_end(unsigned port) { return {.address = {0x7f000001}, .port = static_cast<std::uint16_t>(port)}; }
};

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Lwip, PathTableRules, Lwip);

}  // namespace path_table_rules
