#pragma once

#include <dunlin_sim/world.hpp>

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace dunlin::sim {

// Keeps the last events of a world, outcomes apart, to be told when something went wrong; and tells all of them as they
// happen, where asked to.
class Story final : public Observer {
  public:
    explicit Story(World& world, std::FILE* out = nullptr) : out_(out) { world.observe(*this); }
    void on_event(Instant at, std::size_t process, const Node& node, const Event& event) override;
    void on_crash(Instant at, std::size_t process, const Node& node) override;
    [[nodiscard]] std::vector<std::string> last() const;

  private:
    struct Line {
        Instant at{};
        std::size_t process = 0;
        bool crash = false;
        Event event{};
    };
    static constexpr std::size_t kLines = 40;
    [[nodiscard]] static std::string text(const Line& line);
    void add(const Line& line);

    std::FILE* out_;
    std::vector<Line> lines_;
    std::size_t next_ = 0;
};

}  // namespace dunlin::sim
