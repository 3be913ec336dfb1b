#include <dunlin/bus/filter.hpp>

namespace dunlin::bus {

bool valid_topic(std::string_view topic, std::size_t bytes_max) {
    if (topic.empty() || topic.size() > bytes_max) return false;
    for (const char c : topic) {
        if (c == '+' || c == '#' || c == '\0') return false;
    }
    return true;
}

bool valid_filter(std::string_view filter, std::size_t bytes_max) {
    if (filter.empty() || filter.size() > bytes_max) return false;
    for (std::size_t i = 0; i < filter.size(); ++i) {
        const char c = filter[i];
        if (c == '\0') return false;
        if (c != '+' && c != '#') continue;
        const bool starts_level = i == 0 || filter[i - 1] == '/';
        const bool last = i + 1 == filter.size();
        if (!starts_level) return false;
        if (c == '#' ? !last : !(last || filter[i + 1] == '/')) return false;
    }
    return true;
}

bool matches(std::string_view filter, std::string_view topic) {
    std::size_t t = 0;
    for (std::size_t f = 0; f < filter.size(); ++f) {
        if (filter[f] == '#') return true;
        if (filter[f] == '+') {
            while (t < topic.size() && topic[t] != '/') ++t;
        } else if (t < topic.size() && filter[f] == topic[t]) {
            ++t;
        } else {
            // "a/#" selects "a" too.
            return t == topic.size() && filter.size() - f == 2 && filter[f] == '/' && filter[f + 1] == '#';
        }
    }
    return t == topic.size();
}

}  // namespace dunlin::bus
