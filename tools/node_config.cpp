#include "node_config.hpp"

#include "tool_error.hpp"
#include "values.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace dunlin_tool {
namespace {

constexpr std::size_t kFileBytesMax = 1U << 20U;

// toml++ (3.3) has undefined behaviour at most letters beyond ASCII (U+00A1..U+0499, U+2C5E..U+3057, U+FB26..U+FEFE), wherever
// it asks whether one is white space. Nothing in a configuration needs them. Returns where the first such byte is, or npos.
std::size_t find_letter_beyond_ascii(std::string_view text) {
    const auto at = std::ranges::find_if(text, [](char letter) { return static_cast<unsigned char>(letter) >= 0x80; });
    return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
}

// One table of the file. Remembers which keys were asked for; whatever else stands in it is an error.
class Section {
  public:
    Section(const toml::table& table, std::string file, std::string prefix)
        : table_(table), file_(std::move(file)), prefix_(std::move(prefix)) {}

    [[noreturn]] void refuse(const toml::source_region& where, std::string_view key, const std::string& what) const {
        throw ToolError(kUsage, file_ + ":" + std::to_string(where.begin.line) + ": " + prefix_ + std::string(key) + " " + what + ".");
    }
    [[noreturn]] void refuse(std::string_view key, const std::string& what) const { refuse(table_[key].node()->source(), key, what); }

    [[nodiscard]] const toml::node* find(std::string_view key) {
        asked_.emplace(key);
        return table_[key].node();
    }
    [[nodiscard]] std::optional<std::string> text(std::string_view key) {
        const toml::node* const node = find(key);
        if (node == nullptr) return std::nullopt;
        if (!node->is_string()) refuse(key, "must be a string");
        std::string value = node->as_string()->get();
        if (value.empty()) refuse(key, "must not be empty");
        if (value.find('\0') != std::string::npos) refuse(key, "must not contain a NUL character");
        return value;
    }
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high) {
        const toml::node* const node = find(key);
        if (node == nullptr) return std::nullopt;
        const toml::value<std::int64_t>* const value = node->as_integer();
        if (value == nullptr || value->get() < low || value->get() > high) {
            refuse(key, "must be a whole number, " + std::to_string(low) + ".." + std::to_string(high));
        }
        return value->get();
    }
    void duration(std::string_view key, dunlin::Duration& value) {
        const std::optional<std::string> given = text(key);
        if (!given) return;
        const std::optional<dunlin::Duration> read = read_duration(*given);
        if (!read) refuse(key, std::string("must be ") + kDurationForm);
        value = *read;
    }
    [[nodiscard]] std::optional<std::string> address(std::string_view key, bool port_zero) {
        std::optional<std::string> given = text(key);
        if (given && !is_address(*given, port_zero)) refuse(key, "must be an address such as \"10.0.0.1:7001\"");
        return given;
    }
    [[nodiscard]] Section section(std::string_view key) {
        static const toml::table kNone;
        const toml::node* const node = find(key);
        if (node != nullptr && !node->is_table()) refuse(key, "must be a table");
        return {node == nullptr ? kNone : *node->as_table(), file_, prefix_ + std::string(key) + "."};
    }
    void no_other_keys() const {
        for (const auto& [key, node] : table_) {
            if (!asked_.contains(key.str())) refuse(node.source(), key.str(), "is no key of this file");
        }
    }
    [[noreturn]] void refuse_missing(std::string_view key) const {
        throw ToolError(kUsage, file_ + ":1: the key " + prefix_ + std::string(key) + " is missing.");
    }

  private:
    const toml::table& table_;
    std::string file_;
    std::string prefix_;
    std::set<std::string, std::less<>> asked_;
};

void read_seeds(Section& file, std::vector<std::string>& seeds) {
    const toml::node* const node = file.find("seeds");
    if (node == nullptr) return;
    if (!node->is_array()) file.refuse("seeds", "must be an array of addresses");
    for (const toml::node& each : *node->as_array()) {
        const toml::value<std::string>* const address = each.as_string();
        if (address == nullptr || !is_address(address->get(), false)) {
            file.refuse(each.source(), "seeds", "must be an array of addresses such as \"10.0.0.1:7001\"");
        }
        seeds.push_back(address->get());
    }
    if (seeds.size() > kHostMember.peers) file.refuse("seeds", "may have " + std::to_string(kHostMember.peers) + " entries at most");
}

void read_loss(Section& file, std::uint32_t& loss_ppm) {
    const toml::node* const node = file.find("loss");
    if (node == nullptr) return;
    const std::optional<double> share = node->value<double>();
    const std::optional<std::uint32_t> ppm = share ? to_ppm(*share) : std::nullopt;
    if (!ppm) file.refuse("loss", "must be a number, 0.0..1.0");
    loss_ppm = *ppm;
}

void read_kind(Section& file, HostSettings& host) {
    const std::string role = file.text("role").value_or("voter");
    if (role != "voter" && role != "member") file.refuse("role", "must be \"voter\" or \"member\"");
    const std::string ledger = file.text("ledger").value_or("small");
    if (ledger != "small" && ledger != "voter_min") file.refuse("ledger", "must be \"small\" or \"voter_min\"");
    if (role == "voter") host.kind = ledger == "small" ? NodeKind::voter_small : NodeKind::voter_min;
}

void read_timing(Section section, dunlin::Options& timing) {
    section.duration("heartbeat_interval", timing.heartbeat_interval);
    section.duration("session_idle_timeout", timing.session_idle_timeout);
    section.duration("raft_heartbeat", timing.raft_heartbeat);
    section.duration("election_timeout_min", timing.election_timeout_min);
    section.duration("election_timeout_max", timing.election_timeout_max);
    if (const auto rank = section.integer("election_rank", 0, 3)) timing.election_rank = static_cast<std::uint8_t>(*rank);
    section.duration("request_timeout", timing.request_timeout);
    section.duration("lease_guard", timing.lease_guard);
    if (const auto ppm = section.integer("clock_rate_bound_ppm", 0, 100'000))
        timing.clock_rate_bound_ppm = static_cast<std::uint32_t>(*ppm);
    section.no_other_keys();
}

NodeConfig read_keys(Section& file) {
    NodeConfig config;
    HostSettings& host = config.host;
    const auto id = file.integer("id", 1, std::numeric_limits<std::uint16_t>::max());
    if (!id) file.refuse_missing("id");
    host.id = static_cast<std::uint16_t>(*id);
    host.cluster = file.text("cluster").value_or(host.cluster);
    if (host.cluster.size() > dunlin::kClusterNameBytesMax) file.refuse("cluster", "must be 1..32 bytes long");
    read_kind(file, host);
    const std::optional<std::string> listen = file.address("listen", true);
    if (!listen) file.refuse_missing("listen");
    host.listen = *listen;
    read_seeds(file, host.seeds);
    read_loss(file, host.loss_ppm);
    host.journal = file.text("journal").value_or("");
    if (host.kind != NodeKind::member && host.journal.empty()) file.refuse_missing("journal");
    config.rejoin = file.address("rejoin", false).value_or("");
    if (!config.rejoin.empty() && (host.kind == NodeKind::member || host.seeds.empty()))
        file.refuse("rejoin", "is for voters, and needs seeds: somebody must be asked");
    config.socket = file.text("socket").value_or("");
    config.events = file.text("events").value_or("");
    read_timing(file.section("timing"), host.timing);
    file.no_other_keys();
    return config;
}

// The fields that the node itself checks against each other.
void check_timing(const NodeConfig& config, const std::string& name) {
    dunlin::Options options = config.host.timing;
    options.id = dunlin::NodeId{config.host.id};
    options.instance = dunlin::InstanceId{1};
    std::string_view reason;
    if (dunlin::validate(options, reason) != dunlin::Status::ok) throw ToolError(kUsage, name + ": timing." + std::string(reason) + ".");
}

}  // namespace

NodeConfig read_node_config(std::string_view text, const std::string& name) {
    if (constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf"; text.starts_with(kByteOrderMark))
        text.remove_prefix(kByteOrderMark.size());
    if (const std::size_t at = find_letter_beyond_ascii(text); at != std::string_view::npos) {
        const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
        throw ToolError(kUsage, name + ":" + std::to_string(line) + ": only ASCII can be read here, in comments too.");
    }
    const toml::parse_result parsed = toml::parse(text, name);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        throw ToolError(kUsage, name + ":" + std::to_string(error.source().begin.line) +
                                    ": this is not TOML: " + std::string(error.description()) + ".");
    }
    Section file(parsed.table(), name, "");
    NodeConfig config = read_keys(file);
    check_timing(config, name);
    return config;
}

NodeConfig read_node_config_file(const std::string& path) {
    std::error_code error;
    std::ifstream file(path, std::ios::binary);
    if (!std::filesystem::is_regular_file(path, error) || !file) throw ToolError(kUsage, "cannot read the configuration '" + path + "'.");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (text.size() > kFileBytesMax) throw ToolError(kUsage, "the configuration '" + path + "' is longer than 1 MiB.");
    NodeConfig config = read_node_config(text, path);
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    for (std::string* each : {&config.host.journal, &config.socket, &config.events}) {
        if (!each->empty()) *each = (folder / *each).string();
    }
    return config;
}

}  // namespace dunlin_tool
