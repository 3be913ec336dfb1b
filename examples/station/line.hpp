#pragma once

#include <dunlin/core/time.hpp>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace station {

// One word of a line: key=number or key=text.
struct Field {
    constexpr Field(const char* name, std::uint64_t value) : key(name), number(value) {}
    constexpr Field(const char* name, std::string_view value) : key(name), text(value) {}

    const char* key;
    std::string_view text{};  // counts where it is not empty
    std::uint64_t number = 0;
};

// Prints "t_us=<now> event=<event> <key>=<value> ...", one line, which stands where it belongs before this returns: on standard output, or on
// a board's console.
void tell(dunlin::Instant now, std::string_view event, std::span<const Field> fields = {});
inline void tell(dunlin::Instant now, std::string_view event, std::initializer_list<Field> fields) {
    tell(now, event, std::span(fields.begin(), fields.size()));
}

// Prints "error: <pieces>" in a line: on standard error, or on the board's console too.
void complain(std::initializer_list<std::string_view> pieces);

// 64 bits as 16 hexadecimal digits. The text lives as long as this does.
class Hexadecimal {
  public:
    explicit Hexadecimal(std::uint64_t value);
    [[nodiscard]] std::string_view text() const { return {digits_, sizeof digits_}; }

  private:
    char digits_[16];
};

}  // namespace station
