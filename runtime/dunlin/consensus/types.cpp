#include <dunlin/consensus/types.hpp>

namespace dunlin::consensus {

std::string_view to_string(Role role) {
    switch (role) {
        case Role::member: return "member";
        case Role::follower: return "follower";
        case Role::pre_candidate: return "pre_candidate";
        case Role::candidate: return "candidate";
        case Role::leader: return "leader";
    }
    return "unknown";
}

}  // namespace dunlin::consensus
