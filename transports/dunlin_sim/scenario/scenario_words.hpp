#pragma once

#include <dunlin/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dunlin::sim {

// What is wrong with a line.
class Unreadable : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The words of one line, taken one by one.
class Words {
  public:
    explicit Words(std::string_view line) {
        constexpr std::string_view kBlank = " \t\r";
        while (true) {
            line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
            if (line.empty() || line.front() == '#') return;
            words_.push_back(line.substr(0, line.find_first_of(kBlank)));
            line.remove_prefix(words_.back().size());
        }
    }
    [[nodiscard]] bool empty() const { return next_ == words_.size(); }
    [[nodiscard]] std::string_view next() const { return empty() ? std::string_view() : words_[next_]; }
    [[nodiscard]] bool take(std::string_view word) {
        if (empty() || words_[next_] != word) return false;
        ++next_;
        return true;
    }
    std::string_view word(const std::string& what) {
        if (empty()) throw Unreadable(what + " is missing");
        return words_[next_++];
    }
    void need(std::string_view expected) {
        const std::string quoted = "'" + std::string(expected) + "'";
        const std::string_view found = word(quoted);
        if (found != expected) throw Unreadable("'" + std::string(found) + "' stands where " + quoted + " belongs");
    }
    std::string text(const std::string& what) { return std::string(word(what)); }
    void end() const {
        if (!empty()) throw Unreadable("'" + std::string(words_[next_]) + "' is too much");
    }
    [[nodiscard]] std::string all() const {
        std::string text;
        for (const std::string_view each : words_) text += (text.empty() ? "" : " ") + std::string(each);
        return text;
    }

  private:
    std::vector<std::string_view> words_;
    std::size_t next_ = 0;
};

// A number and what follows it, such as 500 and ms.
struct Quantity {
    std::uint64_t number;
    std::string_view unit;
};

// Each throws Unreadable where the word is something else; `what`: that it should be.
[[nodiscard]] Quantity quantity(std::string_view word, const std::string& what);
[[nodiscard]] std::uint64_t count(std::string_view word, const std::string& what = "a number");
[[nodiscard]] Duration duration(std::string_view word);
[[nodiscard]] std::uint32_t share_ppm(std::string_view word, const std::string& of);  // 0% to 99%

}  // namespace dunlin::sim
