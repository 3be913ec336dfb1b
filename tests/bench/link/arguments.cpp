#include "arguments.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace link_bench {
namespace {

template <class Number>
void read(Number& number, const std::string& value) {
    number = static_cast<Number>(std::stoll(value));
}

bool set(Arguments& arguments, std::string_view name, const std::string& value) {
    if (name == "role")
        arguments.publisher = value == "pub";
    else if (name == "mode")
        arguments.mode = value;
    else if (name == "variant")
        arguments.variant = value;
    else if (name == "payload")
        read(arguments.payload_bytes, value);
    else if (name == "datagram")
        read(arguments.datagram_bytes, value);
    else if (name == "port")
        read(arguments.port, value);
    else if (name == "begin")
        read(arguments.begin_ns, value);
    else if (name == "end")
        read(arguments.end_ns, value);
    else if (name == "busy")
        read(arguments.busy, value);
    else if (name == "rate")
        read(arguments.rate, value);
    else if (name == "loss")
        read(arguments.loss_ppm, value);
    else if (name == "subscribers")
        read(arguments.subscribers, value);
    else if (name == "servers")
        arguments.servers = value;
    else if (name == "clients")
        read(arguments.clients, value);
    else if (name == "pause_us")
        read(arguments.pause_us, value);
    else if (name == "election_ms")
        read(arguments.election_ms, value);
    else
        return false;
    return true;
}

}  // namespace

Arguments parse(int count, char** words) {
    Arguments arguments;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const std::size_t equals = word.find('=');
        if (equals != std::string::npos && set(arguments, std::string_view(word).substr(0, equals), word.substr(equals + 1))) continue;
        std::fprintf(stderr, "link bench: '%s' is not known\n", words[i]);
        std::exit(2);
    }
    return arguments;
}

}  // namespace link_bench
