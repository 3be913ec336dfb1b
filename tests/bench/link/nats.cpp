// NATS through its server. Plain: at most once, the publisher hears nothing. variant=jetstream: the publisher hears when the server
// has stored the message (in memory), the subscriber acknowledges to the server.
#include "arguments.hpp"
#include "window.hpp"

#include <nats/nats.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using link_bench::Arguments;
using link_bench::Window;

constexpr std::int64_t kPendingMax = 4096;

void check(natsStatus status, const char* what) {
    if (status == NATS_OK) return;
    std::fprintf(stderr, "nats: %s: %s\n", what, natsStatus_GetText(status));
    std::exit(1);
}

void publish_plain(natsConnection* connection, const Arguments& arguments) {
    std::vector<char> payload(arguments.payload_bytes, 'x');
    std::uint64_t sent = 0;
    Window window(arguments);
    while (!window.over()) {
        for (int i = 0; i < 64; ++i) {
            if (natsConnection_Publish(connection, "bench", payload.data(), static_cast<int>(payload.size())) == NATS_OK) ++sent;
        }
        window.tick(sent);
    }
    window.print();
}

void publish_stored(jsCtx* stream, const Arguments& arguments) {
    std::vector<char> payload(arguments.payload_bytes, 'x');
    std::uint64_t sent = 0;
    Window window(arguments);
    while (!window.over()) {
        // It blocks at kPendingMax, so all but that many of what was sent is settled.
        if (js_PublishAsync(stream, "bench", payload.data(), static_cast<int>(payload.size()), nullptr) == NATS_OK) ++sent;
        if (sent % 64 == 0) window.tick(sent);
    }
    window.print();
}

void play(natsConnection* connection, const Arguments& arguments) {
    natsSubscription* answers = nullptr;
    check(natsConnection_SubscribeSync(&answers, connection, "answer"), "subscribe");
    std::vector<char> payload(arguments.payload_bytes, 'x');
    std::uint64_t trips = 0;
    Window window(arguments);
    while (!window.over()) {
        const std::int64_t sent_ns = link_bench::now_ns();
        check(natsConnection_PublishRequest(connection, "bench", "answer", payload.data(), static_cast<int>(payload.size())), "publish");
        check(natsConnection_Flush(connection), "flush");
        natsMsg* message = nullptr;
        if (natsSubscription_NextMsg(&message, answers, 100) == NATS_OK) {
            window.latency(link_bench::now_ns() - sent_ns);
            natsMsg_Destroy(message);
        }
        window.tick(++trips);
    }
    window.print();
}

void subscribe(natsConnection* connection, natsSubscription* subscription, const Arguments& arguments) {
    const bool echo = arguments.mode == "roundtrip";
    const bool acknowledge = arguments.variant == "jetstream";
    natsSubscription_SetPendingLimits(subscription, -1, -1);
    Window window(arguments);
    link_bench::say_ready();
    std::uint64_t received = 0;
    while (!window.over()) {
        natsMsg* message = nullptr;
        const bool got = natsSubscription_NextMsg(&message, subscription, 20) == NATS_OK;
        if (got) {
            ++received;
            if (echo)
                natsConnection_Publish(connection, natsMsg_GetReply(message), natsMsg_GetData(message), natsMsg_GetDataLength(message));
            if (acknowledge) natsMsg_Ack(message, nullptr);
            natsMsg_Destroy(message);
        }
        if (!got || echo || received % 64 == 0) window.tick(received);
    }
    window.print();
}

void make_stream(jsCtx* stream) {
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    const char* subjects[] = {"bench"};
    config.Name = "BENCH";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_MemoryStorage;
    config.Retention = js_WorkQueuePolicy;
    check(js_AddStream(nullptr, stream, &config, nullptr, nullptr), "stream");
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = link_bench::parse(count, words);
    natsOptions* options = nullptr;
    natsOptions_Create(&options);
    const std::string url = "nats://127.0.0.1:" + std::to_string(arguments.port);
    natsOptions_SetURL(options, url.c_str());
    if (arguments.mode == "roundtrip") natsOptions_SetSendAsap(options, true);
    natsConnection* connection = nullptr;
    check(natsConnection_Connect(&connection, options), "connect");
    jsCtx* stream = nullptr;
    if (arguments.variant == "jetstream") {
        jsOptions stream_options;
        jsOptions_Init(&stream_options);
        stream_options.PublishAsync.MaxPending = kPendingMax;
        check(natsConnection_JetStream(&stream, connection, &stream_options), "JetStream");
    }
    if (!arguments.publisher) {
        natsSubscription* subscription = nullptr;
        if (stream != nullptr) {
            make_stream(stream);
            check(js_SubscribeSync(&subscription, stream, "bench", nullptr, nullptr, nullptr), "subscribe");
        } else {
            check(natsConnection_SubscribeSync(&subscription, connection, "bench"), "subscribe");
        }
        natsConnection_Flush(connection);
        subscribe(connection, subscription, arguments);
    } else if (arguments.mode == "roundtrip") {
        play(connection, arguments);
    } else if (stream != nullptr) {
        publish_stored(stream, arguments);
    } else {
        publish_plain(connection, arguments);
    }
    std::_Exit(0);  // what still waits for the server is not sent
}
