#include <dunlin_sim/workload/key_client.hpp>

#include <cstring>
#include <span>

namespace dunlin::sim {

void KeyClient::start(Instant now) {
    if (plan_.keys > 0) due_ = now + plan_.every;
}

void KeyClient::call(const Context& context) {
    ++calls_;
    due_ = context.now() + plan_.every;
    const std::string key = "shared/" + std::to_string((calls_ + process_) % plan_.keys);
    if (calls_ % 3 != 0) {
        const auto got = context.node().get(context.now(), key);
        if (!got.ok()) return;
        checker_.get_started(process_, got.value(), key);
    } else {
        // Nobody puts the same value again, not even this process in another life.
        const std::uint64_t value = (std::uint64_t{process_ + 1} << 56U) | (std::uint64_t{life_} << 32U) | calls_;
        const auto put = context.node().put(context.now(), key, std::as_bytes(std::span<const std::uint64_t, 1>(&value, 1)));
        if (!put.ok()) return;
        checker_.put_started(process_, put.value(), key, value);
    }
    due_ = kNever;
}

bool KeyClient::on_request_done(Instant at, const Context& context, const Event& event) {
    std::uint64_t value = 0;
    const auto bytes = context.node().value_of(event.request);
    if (event.status == Status::ok && bytes.size() == sizeof(value)) std::memcpy(&value, bytes.data(), sizeof(value));
    if (!checker_.ended(at, process_, event, value)) return false;
    due_ = context.now() + plan_.every;
    return true;
}

}  // namespace dunlin::sim
