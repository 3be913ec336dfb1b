#include "consensus/script_packets.hpp"

#include <dunlin/core/padding.hpp>
#include <dunlin/wire/packet_reader.hpp>

namespace dunlin::consensus::test {
namespace {

using wire::RecordType;

std::string place(std::uint64_t index, std::uint64_t term) { return std::to_string(index) + "." + std::to_string(term); }
std::string in_term(std::uint64_t term) { return " t" + std::to_string(term); }

template <class Flag>
bool has(std::uint32_t flags, Flag flag) {
    return (flags & static_cast<std::uint32_t>(flag)) != 0;
}

std::string describe(const wire::VoteRequest& request) {
    const bool pre_vote = has(request.flags(), wire::VoteFlag::pre_vote);
    const bool transfer = has(request.flags(), wire::VoteFlag::transfer);
    return std::string(pre_vote ? "pre-vote?" : "vote?") + in_term(request.term()) + " last " +
           place(request.last_index(), request.last_term()) + (transfer ? " by transfer" : "");
}

std::string describe(const wire::VoteReply& reply) {
    const bool pre_vote = has(reply.flags(), wire::VoteFlag::pre_vote);
    const bool granted = has(reply.flags(), wire::VoteFlag::granted);
    return std::string(pre_vote ? "pre-vote " : "vote ") + (granted ? "yes" : "no") + in_term(reply.term()) + " to" +
           in_term(reply.request_term());
}

std::string describe(const wire::Append& append, std::span<const std::byte> bytes) {
    std::string text = "append" + in_term(append.term()) + " after " + place(append.prev_index(), append.prev_term()) + ":";
    for (std::uint32_t i = 0; i < append.entry_count() && bytes.size() >= sizeof(wire::EntryHead); ++i) {
        const auto head = wire::load<wire::EntryHead>(bytes.first(sizeof(wire::EntryHead)));
        text += (i == 0 ? " " : ",") + std::to_string(head.term());
        bytes = bytes.subspan(std::min(bytes.size(), sizeof(wire::EntryHead) + padded_to<8>(std::size_t{head.length()})));
    }
    return text + " commit " + std::to_string(append.commit());
}

std::string describe(const wire::AppendReply& reply) {
    if (has(reply.flags(), wire::AppendReplyFlag::success))
        return "has" + in_term(reply.term()) + " up to " + std::to_string(reply.match_index());
    if (reply.round() == 0) return "newer term" + in_term(reply.term());
    return "does not fit" + in_term(reply.term()) + " try " + place(reply.hint_index(), reply.hint_term());
}

std::string describe(const wire::Record& record) {
    switch (record.type) {
        case RecordType::vote_request: return describe(record.as<wire::VoteRequest>());
        case RecordType::vote_reply: return describe(record.as<wire::VoteReply>());
        case RecordType::append: return describe(record.as<wire::Append>(), record.bytes);
        case RecordType::append_reply: return describe(record.as<wire::AppendReply>());
        case RecordType::timeout_now: return "timeout now" + in_term(record.as<wire::TimeoutNow>().term());
        case RecordType::snapshot_chunk: {
            const auto chunk = record.as<wire::SnapshotChunk>();
            return "image" + in_term(chunk.term()) + " of " + place(chunk.index(), chunk.index_term()) + " from byte " +
                   std::to_string(chunk.offset());
        }
        case RecordType::snapshot_reply: {
            const auto reply = record.as<wire::SnapshotReply>();
            return "image got" + in_term(reply.term()) + " of " + std::to_string(reply.index()) + " up to byte " +
                   std::to_string(reply.next_offset());
        }
        default: return "?";
    }
}

}  // namespace

std::vector<std::string> describe_records(std::span<const std::byte> packet) {
    Counters counters;
    std::vector<std::string> lines;
    auto reader = wire::PacketReader::open(packet, counters);
    wire::Record record;
    while (reader && reader->next(record)) lines.push_back(describe(record));
    return lines;
}

}  // namespace dunlin::consensus::test
