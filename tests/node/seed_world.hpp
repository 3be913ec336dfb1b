// Worlds in which node 1 knows one address, "2", and who is there changes.
#pragma once

#include "node/node_world.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace dunlin::test {

inline constexpr NodeId kFirst{2};
inline constexpr NodeId kSecond{7};
inline constexpr Duration kPatience = seconds{20};  // longer than a node takes to ask anew

inline std::size_t ended(const Host& host, Outcome outcome) {
    return static_cast<std::size_t>(std::ranges::count_if(
        host.events, [outcome](const Event& event) { return event.kind == EventKind::outcome && event.outcome == outcome; }));
}

class SeedWorld : public testing::Test {
  protected:
    // A subscriber at the address, which dials `seeds`.
    Host& appear(NodeId id, Listener& listener, std::vector<std::string> seeds = {}, std::uint32_t durable_id = 0) {
        Host& host = world.add_at<limits::micro>(2, id, std::move(seeds));
        EXPECT_TRUE(host.node->subscribe("t", bus::Handler::of(listener), {.durable_id = durable_id}).ok());
        return host;
    }
    NodeWorld world;
    Listener first;
    Listener second;
    Host& publisher = world.add<limits::micro>(1, {"2"});
};

}  // namespace dunlin::test
