// must not compile: LogIndexTag
#include <dunlin/core/ids.hpp>

dunlin::LogIndex apply(dunlin::LogIndex index) { return index.next(); }

dunlin::LogIndex use() {
#ifdef MUST_NOT_COMPILE
    return apply(dunlin::Term{7});
#else
    return apply(dunlin::LogIndex{7});
#endif
}
