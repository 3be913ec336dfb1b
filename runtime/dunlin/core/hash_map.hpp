#pragma once

#include <dunlin/core/assert.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dunlin {

// A small map from an integer, or a strong type of one, to a value, over entries that somebody else owns. Open
// addressing with linear probing; erase() closes the gap that it makes, so the table never grows old.
// Invariant: between an entry's home and its place every entry is taken. Cost: O(1) expected at half load and O(capacity)
// at worst, so give it twice the entries it will hold. It cannot be walked: hash order must decide nothing.
template <class Key, class Value>
class HashMap {
  public:
    struct Entry {
        Value value{};
        Key key{};
        bool taken = false;
    };

    HashMap() = default;
    // `entries` are cleared.
    explicit HashMap(std::span<Entry> entries) : entries_(entries) { clear(); }

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t capacity() const { return entries_.size(); }
    [[nodiscard]] bool full() const { return size_ == entries_.size(); }

    void clear() {
        for (Entry& entry : entries_) entry = Entry{};
        size_ = 0;
    }

    // The value of `key`, or null. Valid until the next insert() or erase().
    [[nodiscard]] Value* find(Key key) {
        const std::size_t place = locate(key);
        return place == entries_.size() ? nullptr : &entries_[place].value;
    }
    [[nodiscard]] const Value* find(Key key) const {
        const std::size_t place = locate(key);
        return place == entries_.size() ? nullptr : &entries_[place].value;
    }

    // Gives `key` this value, new or in place of its old one. False, and nothing changed, where it is new and the map full.
    [[nodiscard]] bool insert(Key key, const Value& value) {
        if (Value* existing = find(key)) {
            *existing = value;
            return true;
        }
        if (full()) return false;
        std::size_t place = home(key);
        while (entries_[place].taken) place = after(place);
        entries_[place] = Entry{.value = value, .key = key, .taken = true};
        ++size_;
        return true;
    }

    // False where `key` was not there.
    bool erase(Key key) {
        std::size_t gap = locate(key);
        if (gap == entries_.size()) return false;
        entries_[gap] = Entry{};
        --size_;
        for (std::size_t place = after(gap); entries_[place].taken; place = after(place)) {
            if (distance(home(entries_[place].key), place) < distance(gap, place)) continue;  // its way does not cross the gap
            entries_[gap] = entries_[place];
            entries_[place] = Entry{};
            gap = place;
        }
        return true;
    }

  private:
    [[nodiscard]] static constexpr std::uint64_t number(Key key) {
        if constexpr (std::integral<Key>) {
            return static_cast<std::uint64_t>(key);
        } else {
            return static_cast<std::uint64_t>(key.value());
        }
    }
    // Fibonacci hashing (Knuth, TAOCP 3, §6.4), scaled to the capacity without a division.
    [[nodiscard]] std::size_t home(Key key) const {
        const std::uint64_t mixed = (number(key) * 0x9e3779b97f4a7c15U) >> 32U;
        return static_cast<std::size_t>((mixed * entries_.size()) >> 32U);
    }
    [[nodiscard]] std::size_t after(std::size_t place) const { return place + 1 == entries_.size() ? 0 : place + 1; }
    [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const {
        return to >= from ? to - from : to + entries_.size() - from;
    }
    // Where `key` is; capacity() if nowhere.
    [[nodiscard]] std::size_t locate(Key key) const {
        if (entries_.empty()) return 0;
        std::size_t place = home(key);
        for (std::size_t probes = 0; probes < entries_.size() && entries_[place].taken; ++probes, place = after(place)) {
            if (entries_[place].key == key) return place;
        }
        return entries_.size();
    }

    std::span<Entry> entries_{};
    std::size_t size_ = 0;
};

}  // namespace dunlin
