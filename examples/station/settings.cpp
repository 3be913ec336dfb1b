#include "settings.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace station {
namespace {

// What stands before the first `letter`, and behind it; nothing where there is none. (Not substr(), which may throw.)
struct Halves {
    std::string_view before;
    std::optional<std::string_view> behind;
};
Halves split(std::string_view text, char letter) {
    const char* const at = std::ranges::find(text, letter);
    if (at == text.end()) return {text, std::nullopt};
    return {{text.begin(), at}, std::string_view(at + 1, text.end())};
}

bool read_number(std::string_view text, int base, std::uint64_t most, std::uint64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc{} && end == text.data() + text.size() && number <= most;
}

bool read_address(std::string_view text, std::string_view& address) {
    address = text;
    return !text.empty() && text.size() <= dunlin::kAddressBytesMax && split(text, ':').behind.has_value();
}

bool read_id(std::string_view text, Settings& settings) {
    std::uint64_t id = 0;
    if (!read_number(text, 10, std::numeric_limits<std::uint16_t>::max(), id)) return false;
    settings.id = static_cast<std::uint16_t>(id);
    return id != 0;
}

bool read_cluster(std::string_view text, Settings& settings) {
    settings.cluster = text;
    return !text.empty() && text.size() <= dunlin::kClusterNameBytesMax;
}

bool read_seeds(std::string_view text, Settings& settings) {
    settings.seed_count = 0;
    while (settings.seed_count < kSeedsMax) {
        const auto [seed, rest] = split(text, ',');
        if (!read_address(seed, settings.seeds[settings.seed_count])) return false;
        ++settings.seed_count;
        if (!rest) return true;
        text = *rest;
    }
    return false;
}

bool read_loss(std::string_view text, Settings& settings) {
    std::uint64_t loss = 0;
    if (!read_number(text, 10, 1'000'000, loss)) return false;
    settings.loss_ppm = static_cast<std::uint32_t>(loss);
    return true;
}

bool read_format(std::string_view text, Settings& settings) {
    settings.format = text == "yes";
    return settings.format;
}

struct Key {
    std::string_view name;
    bool (*read)(std::string_view text, Settings& settings);  // false: not as `reason` says
    std::string_view reason;
};

constexpr std::string_view kText = "must have a value";
constexpr Key kKeys[] = {
    {"id", read_id, "must be a number, 1..65535"},
    {"cluster", read_cluster, "must be 1..32 bytes long"},
    {"address", [](std::string_view text, Settings& to) { return read_address(text, to.address); }, "must be an address, a.b.c.d:port"},
    {"netmask", [](std::string_view text, Settings& to) { return !(to.netmask = text).empty(); }, kText},
    {"gateway", [](std::string_view text, Settings& to) { return !(to.gateway = text).empty(); }, kText},
    {"seeds", read_seeds, "must be 1..8 addresses, a.b.c.d:port, with a comma between two"},
    {"journal", [](std::string_view text, Settings& to) { return !(to.journal = text).empty(); }, kText},
    {"entropy", [](std::string_view text, Settings&) { return !text.empty(); }, kText},
    {"loss_ppm", read_loss, "must be a number, 0..1000000"},
    {"format", read_format, "must be yes"},
};

const Key* find_key(std::string_view name) {
    for (const Key& key : kKeys) {
        if (key.name == name) return &key;
    }
    return nullptr;
}

}  // namespace

std::optional<WrongSetting> read_settings(int argc, const char* const* argv, Settings& settings) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto [name, value] = split(word, '=');
        const Key* const key = value ? find_key(name) : nullptr;
        if (key == nullptr) {
            return WrongSetting{
                word, "is no setting; there are id= cluster= address= netmask= gateway= seeds= journal= entropy= loss_ppm= format="};
        }
        if (!key->read(*value, settings)) return WrongSetting{word, key->reason};
    }
    if (settings.id == 0) return WrongSetting{"id=", "is missing: a node has a number of its own in its cluster"};
    if (settings.address.empty()) return WrongSetting{"address=", "is missing: where the others reach this node, a.b.c.d:port"};
    return std::nullopt;
}

}  // namespace station
