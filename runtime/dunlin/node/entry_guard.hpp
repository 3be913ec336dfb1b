#pragma once

#include <dunlin/core/assert.hpp>

namespace dunlin {

// Marks that a call is inside the node for as long as it lives: handlers run there, and must not call back in.
class EntryGuard {
  public:
    explicit EntryGuard(bool& inside) : inside_(inside) {
        DUNLIN_ASSERT(!inside_);
        inside_ = true;
    }
    EntryGuard(const EntryGuard&) = delete;
    EntryGuard& operator=(const EntryGuard&) = delete;
    ~EntryGuard() { inside_ = false; }

  private:
    bool& inside_;
};

}  // namespace dunlin
