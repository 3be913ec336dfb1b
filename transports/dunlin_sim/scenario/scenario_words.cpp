#include <dunlin_sim/scenario/scenario_words.hpp>

#include <charconv>

namespace dunlin::sim {

Quantity quantity(std::string_view word, const std::string& what) {
    std::uint64_t number = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || number > 1'000'000'000'000U) throw Unreadable("'" + std::string(word) + "' is not " + what);
    return {number, word.substr(static_cast<std::size_t>(rest - word.data()))};
}

std::uint64_t count(std::string_view word, const std::string& what) {
    const Quantity found = quantity(word, what);
    if (!found.unit.empty()) throw Unreadable("'" + std::string(word) + "' is not " + what);
    return found.number;
}

Duration duration(std::string_view word) {
    constexpr std::int64_t kMonthUs = 2'600'000'000'000;  // as far as clocks of processes are good
    const std::string what = "a time such as 500ms, 2s or 1h";
    const auto [number, unit] = quantity(word, what);
    std::int64_t unit_us = 0;
    if (unit == "us") unit_us = 1;
    if (unit == "ms") unit_us = 1'000;
    if (unit == "s") unit_us = 1'000'000;
    if (unit == "m") unit_us = 60'000'000;
    if (unit == "h") unit_us = 3'600'000'000;
    if (unit_us == 0) throw Unreadable("'" + std::string(word) + "' is not " + what);
    if (static_cast<std::int64_t>(number) > kMonthUs / unit_us) throw Unreadable("'" + std::string(word) + "' is longer than a month");
    return Duration{static_cast<std::int64_t>(number) * unit_us};
}

std::uint32_t share_ppm(std::string_view word, const std::string& of) {
    const Quantity share = quantity(word, "a share such as 5%");
    if (share.unit != "%" || share.number > 99) throw Unreadable(of + " is 0% to 99%");
    return static_cast<std::uint32_t>(share.number * 10'000);
}

}  // namespace dunlin::sim
