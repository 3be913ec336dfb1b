#include <functional>

int uses_std_function(const std::function<int(int)>& function) { return function(1); }

std::function<int(int)> makes_std_function(long first, long second, long third) {
    return [=](int value) { return static_cast<int>(first + second + third) + value; };
}
