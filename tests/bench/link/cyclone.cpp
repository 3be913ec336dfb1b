// Cyclone DDS, reliable and keep-all, batched by its writer: resent until the reader's cache has it; the writer is told of the cache at
// most, not of the application. Configured by CYCLONEDDS_URI for loopback without multicast (see link_bench.py).
#include "arguments.hpp"
#include "window.hpp"

#include "cyclone_message.h"

#include <dds/dds.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using link_bench::Arguments;
using link_bench::Window;

constexpr int kTakeMax = 64;

struct Side {
    explicit Side(const Arguments& arguments) {
        const bool batched = arguments.mode == "throughput";
        if (batched && arguments.publisher) dds_write_set_batch(true);
        participant = dds_create_participant(DDS_DOMAIN_DEFAULT, nullptr, nullptr);
        if (participant < 0) std::exit(1);
        dds_qos_t* const qos = dds_create_qos();
        dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, DDS_SECS(1));
        dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
        dds_qset_resource_limits(qos, 16'384, DDS_LENGTH_UNLIMITED, DDS_LENGTH_UNLIMITED);
        const dds_entity_t there = dds_create_topic(participant, &CycloneMessage_desc, "bench", qos, nullptr);
        const dds_entity_t back = dds_create_topic(participant, &CycloneMessage_desc, "answer", qos, nullptr);
        writer = dds_create_writer(participant, arguments.publisher ? there : back, qos, nullptr);
        reader = dds_create_reader(participant, arguments.publisher ? back : there, qos, nullptr);
        waitset = dds_create_waitset(participant);
        dds_set_status_mask(reader, DDS_DATA_AVAILABLE_STATUS);
        dds_waitset_attach(waitset, reader, reader);
        dds_delete_qos(qos);
    }
    [[nodiscard]] bool matched() const {
        dds_publication_matched_status_t status{};
        return dds_get_publication_matched_status(writer, &status) == 0 && status.current_count > 0;
    }
    // How many messages came, waiting for the first at most 20 ms.
    int take() {
        dds_attach_t which = 0;
        dds_waitset_wait(waitset, &which, 1, DDS_MSECS(20));
        void* samples[kTakeMax] = {};
        dds_sample_info_t infos[kTakeMax];
        const int taken = dds_take(reader, samples, infos, kTakeMax, kTakeMax);
        int valid = 0;
        for (int i = 0; i < taken; ++i) valid += infos[i].valid_data ? 1 : 0;
        if (taken > 0) dds_return_loan(reader, samples, taken);
        return valid;
    }
    dds_entity_t participant = 0;
    dds_entity_t writer = 0;
    dds_entity_t reader = 0;
    dds_entity_t waitset = 0;
};

void publish(Side& side, const Arguments& arguments) {
    std::vector<std::uint8_t> payload(arguments.payload_bytes, 'x');
    CycloneMessage message{};
    message.payload._buffer = payload.data();
    message.payload._length = message.payload._maximum = static_cast<std::uint32_t>(payload.size());
    const bool echo = arguments.mode == "roundtrip";
    std::uint64_t sent = 0;
    Window window(arguments);
    while (!side.matched() && link_bench::now_ns() < arguments.end_ns) dds_sleepfor(DDS_MSECS(10));
    while (!window.over()) {
        const std::int64_t sent_ns = link_bench::now_ns();
        if (dds_write(side.writer, &message) == 0) ++sent;
        if (echo) {
            while (side.take() == 0 && link_bench::now_ns() < arguments.end_ns) {}
            window.latency(link_bench::now_ns() - sent_ns);
        }
        if (echo || sent % 64 == 0) window.tick(sent);
    }
    dds_write_flush(side.writer);
    window.print();
}

void subscribe(Side& side, const Arguments& arguments) {
    std::vector<std::uint8_t> payload(arguments.payload_bytes, 'x');
    CycloneMessage message{};
    message.payload._buffer = payload.data();
    message.payload._length = message.payload._maximum = static_cast<std::uint32_t>(payload.size());
    const bool echo = arguments.mode == "roundtrip";
    std::uint64_t received = 0;
    Window window(arguments);
    link_bench::say_ready();
    while (!window.over()) {
        const int taken = side.take();
        received += static_cast<std::uint64_t>(taken);
        if (echo && taken > 0) dds_write(side.writer, &message);
        window.tick(received);
    }
    window.print();
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = link_bench::parse(count, words);
    Side side(arguments);
    if (arguments.publisher) {
        publish(side, arguments);
    } else {
        subscribe(side, arguments);
    }
    std::_Exit(0);  // a reliable writer would wait for its reader
}
