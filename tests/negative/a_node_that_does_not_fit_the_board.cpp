// must not compile: the board has too little RAM
#include <cortex_m/fits.hpp>

constexpr std::size_t kNode = sizeof(dunlin::NodeMemory<dunlin::limits::micro>);
constexpr std::size_t kFree = board::kRamBytes - board::kStackBytes - kNode;

static_assert(board::fits<dunlin::limits::micro, kFree>());

#ifdef MUST_NOT_COMPILE
static_assert(board::fits<dunlin::limits::micro, kFree + 1>());
static_assert(board::fits<dunlin::limits::gateway, 0>());
#endif
