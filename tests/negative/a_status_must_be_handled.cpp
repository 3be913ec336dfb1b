// must not compile: nodiscard
#include <dunlin/core/status.hpp>

dunlin::Status attempt();

void use() {
#ifdef MUST_NOT_COMPILE
    attempt();
#else
    static_cast<void>(attempt());
#endif
}
