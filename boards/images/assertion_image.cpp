// Proves that a failed assertion on the board is seen as a failure.
#include <dunlin/core/assert.hpp>

int main() {
    volatile int one = 1;
    DUNLIN_ASSERT(one == 2);
    return 0;
}
