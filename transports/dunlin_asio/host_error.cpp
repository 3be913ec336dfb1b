#include <dunlin_asio/host_error.hpp>

#include <system_error>

namespace dunlin_asio {

HostError::HostError(std::string_view sentence, int error_number)
    : message(std::string(sentence) + ": " + std::generic_category().message(error_number) + ".") {}

}  // namespace dunlin_asio
