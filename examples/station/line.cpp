#include "line.hpp"

#include "machine.hpp"

#include <cstddef>

namespace station {

void tell(dunlin::Instant now, std::string_view event, std::span<const Field> fields) {
    machine::print("t_us=");
    machine::print(static_cast<std::uint64_t>(dunlin::to_us(now.time_since_epoch())));
    machine::print(" event=");
    machine::print(event);
    for (const Field& field : fields) {
        machine::print(" ");
        machine::print(field.key);
        machine::print("=");
        if (field.text.empty()) {
            machine::print(field.number);
        } else {
            machine::print(field.text);
        }
    }
    machine::print("\n");
}

void complain(std::initializer_list<std::string_view> pieces) {
    machine::print_error("error: ");
    for (const std::string_view piece : pieces) machine::print_error(piece);
    machine::print_error("\n");
}

Hexadecimal::Hexadecimal(std::uint64_t value) {
    for (std::size_t i = sizeof digits_; i-- > 0; value >>= 4U) digits_[i] = "0123456789abcdef"[value & 0xfU];
}

}  // namespace station
