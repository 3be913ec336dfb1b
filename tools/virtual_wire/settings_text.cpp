#include "settings_text.hpp"

#include "impairment.hpp"

#include "values.hpp"

namespace dunlin_wire {

std::optional<std::uint32_t> read_share(std::string_view text) {
    const std::optional<std::uint64_t> number = dunlin_tool::read_number(text);
    if (!number || *number > ImpairmentSettings::kWhole) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
}

std::optional<std::pair<dunlin::Duration, dunlin::Duration>> read_delay(std::string_view text) {
    constexpr std::string_view kTo = "..";
    const std::size_t middle = text.find(kTo);
    const auto low = dunlin_tool::read_number(text.substr(0, middle));
    const auto high = middle == std::string_view::npos ? low : dunlin_tool::read_number(text.substr(middle + kTo.size()));
    constexpr auto kMax = static_cast<std::uint64_t>(dunlin::to_us(ImpairmentSettings::kDelayMax));
    if (!low || !high || *low > *high || *high > kMax) return std::nullopt;
    return std::pair{dunlin::from_us(static_cast<std::int64_t>(*low)), dunlin::from_us(static_cast<std::int64_t>(*high))};
}

}  // namespace dunlin_wire
