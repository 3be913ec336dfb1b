#pragma once

#include <dunlin/core/assert.hpp>

namespace dunlin {

// A function pointer with a context: what std::function would be without a heap. Trivially copyable; empty by default.
template <class Signature>
class Callback;

template <class Return, class... Args>
class Callback<Return(Args...)> {
  public:
    using Function = Return (*)(void* context, Args...);
    constexpr Callback() = default;
    constexpr Callback(Function function, void* context) : function_(function), context_(context) {}
    // Binds a callable that the caller keeps alive for as long as the callback is used.
    template <class Callable>
    static Callback of(Callable& callable) {
        return {[](void* context, Args... args) -> Return { return (*static_cast<Callable*>(context))(args...); }, &callable};
    }
    constexpr explicit operator bool() const { return function_ != nullptr; }
    // Calls it; an empty callback is a programming error.
    Return operator()(Args... args) const {
        DUNLIN_ASSERT(function_ != nullptr);
        return function_(context_, args...);
    }

  private:
    Function function_ = nullptr;
    void* context_ = nullptr;
};

}  // namespace dunlin
