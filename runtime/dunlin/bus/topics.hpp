#pragma once

#include <dunlin/core/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dunlin::bus {

// Fixed-length text, one slot a row: `text.size() == rows * bytes_max`.
class NameSlots {
  public:
    NameSlots() = default;
    NameSlots(std::span<char> text, std::size_t bytes_max) : text_(text), bytes_max_(bytes_max) {}
    void set(std::size_t row, std::string_view name);
    [[nodiscard]] std::string_view get(std::size_t row, std::size_t length) const { return {text_.data() + row * bytes_max_, length}; }
    [[nodiscard]] std::size_t bytes_max() const { return bytes_max_; }

  private:
    std::span<char> text_{};
    std::size_t bytes_max_ = 0;
};

struct TopicStorage {
    std::span<std::uint16_t> lengths{};  // one a topic
    std::span<char> text{};              // lengths.size() * bytes_max
    std::size_t bytes_max = 0;
};

// The names published here or received under a subscription, each stored once. A name keeps its index for the life of the
// process, so that messages and aliases need not be counted: a node that keeps inventing names runs out of them. An
// open-addressed hash: expected O(length).
class TopicTable {
  public:
    explicit TopicTable(const TopicStorage& storage);

    // The index of `topic`, which must be 1..bytes_max long; kNoTopic when the table is full.
    [[nodiscard]] TopicIndex intern(std::string_view topic);
    // kNoTopic: no such name is here. Of any length. O(length); without a hash where it is the one found last.
    [[nodiscard]] TopicIndex find(std::string_view topic) const;
    [[nodiscard]] std::string_view name(TopicIndex topic) const;
    // Recovery only: nothing refers to this index any more. No effect where it is not in use.
    void forget(TopicIndex topic);
    [[nodiscard]] std::uint16_t capacity() const { return static_cast<std::uint16_t>(lengths_.size()); }
    [[nodiscard]] std::size_t bytes_max() const { return names_.bytes_max(); }

  private:
    struct Probe {
        TopicIndex found = kNoTopic;
        TopicIndex place = kNoTopic;  // the first row that could take the name
    };
    [[nodiscard]] Probe probe(std::string_view topic) const;
    [[nodiscard]] bool is_at(std::size_t row, std::string_view topic) const;

    std::span<std::uint16_t> lengths_;
    NameSlots names_;
    mutable TopicIndex last_{0};  // found: most publishes are to the topic of the one before
};

}  // namespace dunlin::bus
