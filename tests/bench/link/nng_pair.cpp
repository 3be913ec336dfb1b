// nng over TCP, a pair1 socket a side: delivered while the connection lives, else lost with its queues; nothing tells the sender.
#include "arguments.hpp"
#include "window.hpp"

#include <nng/nng.h>
#include <nng/protocol/pair1/pair.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using link_bench::Arguments;
using link_bench::Window;

nng_socket open_socket(const Arguments& arguments) {
    nng_socket socket{};
    const std::string address = "tcp://127.0.0.1:" + std::to_string(arguments.port);
    int error = nng_pair1_open(&socket);
    nng_socket_set_int(socket, NNG_OPT_SENDBUF, 8192);
    nng_socket_set_int(socket, NNG_OPT_RECVBUF, 8192);
    nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, 50);
    nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, 50);
    if (error == 0)
        error = arguments.publisher ? nng_dial(socket, address.c_str(), nullptr, 0) : nng_listen(socket, address.c_str(), nullptr, 0);
    if (error != 0) {
        std::fprintf(stderr, "nng_pair: %s\n", nng_strerror(error));
        std::exit(1);
    }
    return socket;
}

void publish(nng_socket socket, const Arguments& arguments) {
    std::vector<char> payload(arguments.payload_bytes, 'x');
    const bool echo = arguments.mode == "roundtrip";
    std::uint64_t sent = 0;
    Window window(arguments);
    while (!window.over()) {
        const std::int64_t sent_ns = link_bench::now_ns();
        if (nng_send(socket, payload.data(), payload.size(), 0) == 0) ++sent;
        if (echo) {
            std::size_t length = payload.size();
            if (nng_recv(socket, payload.data(), &length, 0) == 0) window.latency(link_bench::now_ns() - sent_ns);
        }
        if (echo || sent % 64 == 0) window.tick(sent);
    }
    window.print();
}

void subscribe(nng_socket socket, const Arguments& arguments) {
    std::vector<char> payload(arguments.payload_bytes);
    const bool echo = arguments.mode == "roundtrip";
    std::uint64_t received = 0;
    Window window(arguments);
    link_bench::say_ready();
    while (!window.over()) {
        std::size_t length = payload.size();
        const bool got = nng_recv(socket, payload.data(), &length, 0) == 0;
        if (got) {
            ++received;
            if (echo) nng_send(socket, payload.data(), length, 0);
        }
        if (!got || echo || received % 64 == 0) window.tick(received);
    }
    window.print();
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = link_bench::parse(count, words);
    const nng_socket socket = open_socket(arguments);
    if (arguments.publisher) {
        publish(socket, arguments);
    } else {
        subscribe(socket, arguments);
    }
    nng_close(socket);
}
