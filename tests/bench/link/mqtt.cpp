// MQTT at QoS 1 through the mosquitto broker: the publisher hears when the broker has the message, not when the subscriber has;
// the subscriber may get it twice.
#include "arguments.hpp"
#include "window.hpp"

#include <mosquitto.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using link_bench::Arguments;
using link_bench::Window;

constexpr int kInFlightMax = 1000;

struct Client {
    explicit Client(const Arguments& arguments) : echo(arguments.mode == "roundtrip"), publisher(arguments.publisher) {
        mosquitto_lib_init();
        handle = mosquitto_new(publisher ? "pub" : "sub", true, this);
        mosquitto_max_inflight_messages_set(handle, kInFlightMax);
        mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);  // or a round trip waits for a delayed ack of TCP
        mosquitto_connect_callback_set(handle, [](mosquitto* connected, void* self, int) {
            const bool publishes = static_cast<Client*>(self)->publisher;
            mosquitto_subscribe(connected, nullptr, publishes ? "answer" : "bench", 1);
        });
        mosquitto_publish_callback_set(handle, [](mosquitto*, void* self, int) { ++static_cast<Client*>(self)->settled; });
        mosquitto_subscribe_callback_set(
            handle, [](mosquitto*, void* self, int, int, const int*) { static_cast<Client*>(self)->subscribed = true; });
        mosquitto_message_callback_set(handle, [](mosquitto* from, void* context, const mosquitto_message* message) {
            auto* const self = static_cast<Client*>(context);
            ++self->received;
            if (self->echo && !self->publisher) mosquitto_publish(from, nullptr, "answer", message->payloadlen, message->payload, 1, false);
        });
        if (mosquitto_connect(handle, "127.0.0.1", arguments.port, 30) != MOSQ_ERR_SUCCESS) {
            std::fprintf(stderr, "mqtt: no broker\n");
            std::exit(1);
        }
        while (!subscribed) mosquitto_loop(handle, 10, 1);
    }
    bool echo;
    bool publisher;
    mosquitto* handle = nullptr;
    std::uint64_t settled = 0;
    std::uint64_t received = 0;
    bool subscribed = false;
};

void publish(Client& client, const Arguments& arguments) {
    std::vector<char> payload(arguments.payload_bytes, 'x');
    std::uint64_t sent = 0;
    Window window(arguments);
    while (!window.over()) {
        const std::uint64_t done = client.settled;
        while (sent - done < kInFlightMax) {
            if (mosquitto_publish(client.handle, nullptr, "bench", static_cast<int>(payload.size()), payload.data(), 1, false) !=
                MOSQ_ERR_SUCCESS)
                break;
            ++sent;
        }
        mosquitto_loop(client.handle, 10, 1);
        window.tick(client.settled);
    }
    window.print();
}

void play(Client& client, const Arguments& arguments) {
    std::vector<char> payload(arguments.payload_bytes, 'x');
    Window window(arguments);
    while (!window.over()) {
        const std::int64_t sent_ns = link_bench::now_ns();
        const std::uint64_t before = client.received;
        mosquitto_publish(client.handle, nullptr, "bench", static_cast<int>(payload.size()), payload.data(), 1, false);
        while (client.received == before && link_bench::now_ns() < arguments.end_ns) mosquitto_loop(client.handle, 10, 1);
        window.latency(link_bench::now_ns() - sent_ns);
        window.tick(client.received);
    }
    window.print();
}

void subscribe(Client& client, const Arguments& arguments) {
    Window window(arguments);
    link_bench::say_ready();
    while (!window.over()) {
        mosquitto_loop(client.handle, 10, 1);
        window.tick(client.received);
    }
    window.print();
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = link_bench::parse(count, words);
    Client client(arguments);
    if (!arguments.publisher) {
        subscribe(client, arguments);
    } else if (arguments.mode == "roundtrip") {
        play(client, arguments);
    } else {
        publish(client, arguments);
    }
    std::_Exit(0);  // what still waits for the broker is not sent
}
