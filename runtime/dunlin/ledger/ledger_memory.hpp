#pragma once

#include <dunlin/ledger/client.hpp>
#include <dunlin/ledger/lease_holder.hpp>
#include <dunlin/ledger/ledger.hpp>
#include <dunlin/ledger/service.hpp>

#include <array>

namespace dunlin::ledger {

// The arrays behind a member's client and leases.
template <Limits L>
struct ClientArrays {
    std::array<Request, L.requests> requests{};
    std::array<std::byte, std::size_t{L.requests} * L.ledger.value_bytes> values{};
    std::array<HeldLease, L.leases_held> leases{};
    [[nodiscard]] ClientStorage client() { return {requests, values, L.ledger.value_bytes}; }
};

// The arrays behind a voter's replica and service.
template <Limits L>
struct ReplicaArrays {
    alignas(8) std::array<std::byte, image_bytes(L.ledger)> image{};
    std::array<ServiceCall, L.proposals + kServiceRefusals> calls{};
    std::array<ServiceRenewal, L.ledger.leases> renewals{};
    std::array<std::byte, renewal_bitmap_bytes(L.ledger)> bitmap{};
    [[nodiscard]] LedgerStorage ledger() { return {image, L.ledger}; }
    [[nodiscard]] ServiceStorage service() { return {calls, renewals, bitmap}; }
};

}  // namespace dunlin::ledger
