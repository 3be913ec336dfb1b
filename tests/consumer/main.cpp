// The smallest use of each library: proves that headers, libraries and the generated wire header are found.
#include <dunlin/wire/wire_generated.h>
#include <dunlin/core/status.hpp>

int main() { return dunlin::to_string(dunlin::Status::ok) == "ok" ? 0 : 1; }
