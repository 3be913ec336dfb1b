#pragma once

#include <dunlin_sim/checkers/verdict.hpp>
#include <dunlin_sim/world.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace dunlin::sim {

// Whether `filter` selects `topic`, level by level: `+` is one level, `#` at its end any number of them, also none. The
// checker's own reading of the rule, apart from the runtime's.
[[nodiscard]] bool selects(std::string_view filter, std::string_view topic);

// Knows who listens to what, and asks every node: once the network has healed and everybody had time to say what it
// listens to, each knows of exactly the subscriptions that the others have (`everybody knows who listens`).
class AudienceChecker final : public Observer {
  public:
    AudienceChecker(World& world, Verdict& verdict);

    void subscribed(std::size_t process, SubscriptionId subscription, std::string filter);
    void unsubscribed(std::size_t process, SubscriptionId subscription);

    // Every process that runs counts the listeners of every topic right, as far as its tables have room.
    [[nodiscard]] bool right() { return first_wrong().empty(); }
    void finish(Instant at);

    void on_crash(Instant at, std::size_t process, const Node& node) override;

  private:
    [[nodiscard]] std::string first_wrong();
    [[nodiscard]] std::size_t listeners(std::size_t publisher, std::string_view topic) const;

    World& world_;
    Verdict& verdict_;
    Verdict::Invariant known_;
    std::map<std::pair<std::size_t, std::uint32_t>, std::string> filters_;  // by process and subscription
};

}  // namespace dunlin::sim
