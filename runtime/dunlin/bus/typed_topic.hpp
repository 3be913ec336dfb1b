#pragma once

#include <dunlin/bus/message.hpp>

#include <flatbuffers/flatbuffers.h>

namespace dunlin::bus {

// A topic whose payloads are FlatBuffers tables of type T (as flatc generates it). The application keeps it alive for as
// long as it is subscribed:
//
//     Topic<Telemetry> telemetry{Callback<Verdict(const Telemetry&, const Message&)>::of(on_telemetry)};
//     node.subscribe("telemetry/+", telemetry.handler());
//
// Invariant: the typed handler sees verified buffers only; others are rejected, and counted as payload_invalid.
// TableBuilder is the other direction.
template <class T>
class Topic {
  public:
    using TypedHandler = Callback<Verdict(const T&, const Message&)>;
    explicit Topic(TypedHandler handler) : typed_handler_(handler) {}
    Topic(const Topic&) = delete;
    Topic& operator=(const Topic&) = delete;

    [[nodiscard]] Handler handler() { return Handler::of(*this); }
    // Verifies, then calls. O(payload).
    Verdict operator()(const Message& message) const {
        const auto* const bytes = reinterpret_cast<const std::uint8_t*>(message.payload.data());
        flatbuffers::Verifier verifier(bytes, message.payload.size());
        if (!verifier.VerifyBuffer<T>()) return Verdict::invalid;
        return typed_handler_(*flatbuffers::GetRoot<T>(bytes), message);
    }

  private:
    TypedHandler typed_handler_;
};

}  // namespace dunlin::bus
