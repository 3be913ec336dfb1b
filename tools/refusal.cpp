#include "refusal.hpp"

#include <algorithm>

namespace dunlin_tool {

std::string refusal(const std::string& status, std::initializer_list<Meaning> own) {
    static const std::initializer_list<Meaning> kAll = {
        {dunlin::Status::no_quorum, "no quorum: no leader that a majority of the voters follows has answered"},
        {dunlin::Status::timed_out, "the cluster gave no answer in time"},
        {dunlin::Status::session_evicted, "the cluster no longer knows this node's session"},
        {dunlin::Status::busy, "the node has as many requests under way as it can; try again"},
        {dunlin::Status::recovering, "the node still reads its journal; try again"},
        {dunlin::Status::shutting_down, "the node is stopping"}};
    for (const auto& meanings : {own, kAll}) {
        const auto found = std::ranges::find_if(meanings, [&status](const Meaning& each) { return to_string(each.status) == status; });
        if (found != meanings.end()) return found->sentence;
    }
    return "the node refuses: " + status;
}

}  // namespace dunlin_tool
