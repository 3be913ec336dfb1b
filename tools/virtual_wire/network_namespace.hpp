#pragma once

namespace dunlin_wire {

// From here on this process, and those that it starts, have a network of their own: no device but a loopback that is down. It ends with the
// last of them. Where the process may not do that, it becomes a user namespace of its own with the ids that it has, in which it may. Call it
// before there is another thread. Throws ToolError.
void enter_own_network();

}  // namespace dunlin_wire
