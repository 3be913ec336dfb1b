// ZeroMQ over TCP, a PAIR socket a side: delivered while the connection lives, else lost with its queues; nothing tells the sender.
// variant=acked: the application answers each message with its number.
#include "arguments.hpp"
#include "window.hpp"

#include <zmq.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using link_bench::Arguments;
using link_bench::Window;

constexpr std::uint64_t kInFlightMax = 16'384;

void* open_socket(void* context, const Arguments& arguments) {
    void* const socket = zmq_socket(context, ZMQ_PAIR);
    const int high_water = static_cast<int>(kInFlightMax);
    const int limit_ms = 50;
    const int linger_ms = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water, sizeof high_water);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water, sizeof high_water);
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &limit_ms, sizeof limit_ms);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &limit_ms, sizeof limit_ms);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    const std::string address = "tcp://127.0.0.1:" + std::to_string(arguments.port);
    if ((arguments.publisher ? zmq_connect(socket, address.c_str()) : zmq_bind(socket, address.c_str())) != 0) {
        std::perror("zmq_pair");
        std::exit(1);
    }
    return socket;
}

void publish(void* socket, const Arguments& arguments) {
    const bool acked = arguments.variant == "acked";
    std::vector<char> payload(arguments.payload_bytes, 'x');
    std::uint64_t sent = 0;
    std::uint64_t settled = 0;
    Window window(arguments);
    while (!window.over()) {
        for (int i = 0; i < 64; ++i) {
            if (acked && sent - settled >= kInFlightMax) break;
            std::memcpy(payload.data(), &sent, sizeof sent);
            if (zmq_send(socket, payload.data(), payload.size(), 0) > 0) ++sent;
        }
        std::uint64_t number = 0;
        const auto receive = [&](int flags) { return zmq_recv(socket, &number, sizeof number, flags) > 0; };
        while (acked && receive(sent - settled >= kInFlightMax ? 0 : ZMQ_DONTWAIT)) settled = number + 1;
        window.tick(acked ? settled : sent);
    }
    window.print();
}

void play(void* socket, const Arguments& arguments) {
    std::vector<char> payload(arguments.payload_bytes, 'x');
    std::uint64_t trips = 0;
    Window window(arguments);
    while (!window.over()) {
        const std::int64_t sent_ns = link_bench::now_ns();
        zmq_send(socket, payload.data(), payload.size(), 0);
        while (zmq_recv(socket, payload.data(), payload.size(), 0) < 0 && link_bench::now_ns() < arguments.end_ns) {}
        window.latency(link_bench::now_ns() - sent_ns);
        window.tick(++trips);
    }
    window.print();
}

void subscribe(void* socket, const Arguments& arguments) {
    const bool acked = arguments.variant == "acked";
    const bool echo = arguments.mode == "roundtrip";
    std::vector<char> payload(arguments.payload_bytes);
    std::uint64_t received = 0;
    Window window(arguments);
    link_bench::say_ready();
    while (!window.over()) {
        const bool got = zmq_recv(socket, payload.data(), payload.size(), 0) > 0;
        if (got) {
            ++received;
            if (echo) zmq_send(socket, payload.data(), payload.size(), 0);
            if (acked) zmq_send(socket, payload.data(), sizeof(std::uint64_t), 0);
        }
        if (!got || echo || received % 64 == 0) window.tick(received);
    }
    window.print();
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = link_bench::parse(count, words);
    void* const context = zmq_ctx_new();
    void* const socket = open_socket(context, arguments);
    if (!arguments.publisher) {
        subscribe(socket, arguments);
    } else if (arguments.mode == "roundtrip") {
        play(socket, arguments);
    } else {
        publish(socket, arguments);
    }
    zmq_close(socket);
    zmq_ctx_term(context);
}
