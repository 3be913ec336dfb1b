#include <cortex_m/arguments.hpp>
#include <cortex_m/board.hpp>
#include <cortex_m/semihosting.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace board {
namespace {

constexpr std::string_view kBuiltIn = DUNLIN_ARGUMENTS;
constexpr std::string_view kTooLong = "more than 511 bytes, with the image's name";
static_assert(kBuiltIn.size() + sizeof "image " <= kArgumentBytesMax, "DUNLIN_ARGUMENTS is longer than board::kArgumentBytesMax");

std::array<char, kArgumentBytesMax + 1> text;
std::array<char*, kArgumentsMax + 1> words;
std::size_t count = 0;

[[noreturn]] void refuse(std::string_view why) {
    print("arguments: ");
    print(why);
    print("\n");
    finish(kExitArguments);
}

// Cuts text[from..] at its spaces.
void split(std::size_t from) {
    char* place = text.data() + from;
    while (true) {
        while (*place == ' ') *place++ = '\0';
        if (*place == '\0') return;
        if (count == kArgumentsMax) refuse("more than 16 words");
        words[count++] = place;
        while (*place != ' ' && *place != '\0') ++place;
    }
}

}  // namespace

Arguments read_arguments() {
    if (semihosting::present()) {
        if (semihosting::command_line(text) == 0) refuse(kTooLong);
        text.back() = '\0';
        split(0);
    } else {
        std::ranges::copy(std::string_view{"image"}, text.begin());
        split(0);
    }
    if (count <= 1) {
        const std::size_t from = std::strlen(text.data()) + 1;
        if (from + kBuiltIn.size() >= text.size()) refuse(kTooLong);
        std::ranges::copy(kBuiltIn, text.begin() + static_cast<std::ptrdiff_t>(from));
        split(from);
    }
    return {.count = static_cast<int>(count), .words = words.data()};
}

std::span<const char> argument_text() { return text; }

std::string_view argument(std::string_view key) {
    for (const char* each : std::span(words).first(count)) {
        std::string_view word = each;
        if (word.size() <= key.size() || !word.starts_with(key) || word[key.size()] != '=') continue;
        word.remove_prefix(key.size() + 1);
        return word;
    }
    return {};
}

}  // namespace board
