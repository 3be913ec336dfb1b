#pragma once

#include "bus_world.hpp"

#include <gtest/gtest.h>

namespace dunlin::bus::test {

inline constexpr Duration kShortly = milliseconds{100};

// Node 1 publishes from a journal; node 2 has a durable subscription.
class DurableOutbox : public testing::Test {
  protected:
    DurableOutbox() {
        world.start(1, true);
        start_subscriber();
        world.run_for(seconds{2});
    }
    void start_subscriber(bool journal = true) {
        world.start(2, journal);
        ASSERT_TRUE(world[2].bus.subscribe("#", listener.handler(), {.durable_id = 1}).ok());
    }
    Result<Published> publish(std::string_view payload, Duration lifetime = {}) {
        return world[1].bus.publish(world.now, {.topic = "t", .payload = bytes_of(payload), .lifetime = lifetime});
    }
    void restart_publisher() { world.start(1, true); }
    World world;
    Listener listener;
};

}  // namespace dunlin::bus::test
