#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace dunlin_asio {

// Why something could not be opened, as one sentence for a person. Thrown by constructors of this transport and by the
// functions that say so, which all run before the loop does; nothing throws per message.
struct HostError : std::exception {
    explicit HostError(std::string sentence) : message(std::move(sentence)) {}
    // "<sentence>: <what errno `error_number` means>."
    HostError(std::string_view sentence, int error_number);
    [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }

    std::string message;
};

}  // namespace dunlin_asio
