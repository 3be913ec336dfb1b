#include "metering.hpp"

#include <cstring>

namespace metering {

void Meter::publish(dunlin::Instant now) {
    const std::uint64_t flowed = *flowed_;
    const std::uint64_t litres = flowed - published_;
    if (litres == 0) return;
    dunlin::bus::PublishOptions options;
    options.topic = kTopic;
    options.payload = std::as_bytes(std::span(&litres, 1));
    options.position = flowed;  // durable together with the publish
    if (node_->publish(now, options).ok()) published_ = flowed;
}

dunlin::Status Billing::start() {
    constexpr std::uint32_t kDurableId = 1;  // what is published while this node is down waits for it
    return node_->subscribe(kTopic, dunlin::bus::Handler::of(*this), {.durable_id = kDurableId}).status();
}

void Billing::on_started() { litres_ = bookkeeping_ == Bookkeeping::beside_it ? *stored_ : node_->receive_position(); }

dunlin::bus::Verdict Billing::operator()(const dunlin::bus::Message& message) {
    std::uint64_t litres = 0;
    if (message.payload.size() != sizeof(litres)) return dunlin::bus::Verdict::reject;
    std::memcpy(&litres, message.payload.data(), sizeof(litres));
    litres_ += litres;
    if (bookkeeping_ == Bookkeeping::beside_it) {
        *stored_ = litres_;
    } else {
        node_->store_receive_position(litres_);
    }
    return dunlin::bus::Verdict::accept;
}

}  // namespace metering
