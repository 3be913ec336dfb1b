// Proves that a stack that overflows is seen, and destroys nothing.
#include <cortex_m/board.hpp>

namespace {

volatile bool endless = true;

[[gnu::noinline]] int descend(int depth) {
    volatile int here[16] = {depth};
    if (!endless) return here[0];
    return descend(depth + 1) + here[0];
}

}  // namespace

int main() { return descend(0); }
