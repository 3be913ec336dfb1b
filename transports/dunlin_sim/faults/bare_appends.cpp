#include <dunlin_sim/faults/bare_appends.hpp>

#include <dunlin/core/bytes.hpp>
#include <dunlin/core/padding.hpp>
#include <dunlin/wire/packet_checksum.hpp>
#include <dunlin_sim/checkers/sent_records.hpp>

#include <algorithm>
#include <optional>

namespace dunlin::sim {

void BareAppends::start(std::uint32_t ppm, std::uint64_t draw) {
    random_ = Random{draw};
    ppm_ = ppm;
    world_.network().alter = {};
    if (ppm != 0) world_.network().alter = [this](std::uint32_t from, std::vector<std::byte>& bytes) { alter(from, bytes); };
}

void BareAppends::alter(std::uint32_t from, std::vector<std::byte>& bytes) {
    std::optional<wire::Record> record;
    for_each_record(bytes, [&](const wire::Record& each) {
        if (each.type == wire::RecordType::append && each.fixed.size() == sizeof(wire::Append)) record = each;
    });
    if (!record) return;
    const auto append = record->as<wire::Append>();
    if (leaders_.size() <= from) leaders_.resize(from + 1);
    Leader& leader = leaders_[from];
    if (leader.term != append.term()) leader = {append.term(), {}};
    const Point asked{append.prev_index(), append.prev_term()};
    if (leader.points.empty() || leader.points.back().index < asked.index) leader.points.push_back(asked);
    if (leader.points.size() > kPointsMax) leader.points.pop_front();
    if (random_.below(1'000'000) >= ppm_ || !world_.running(from)) return;
    const Point& earlier = leader.points[random_.below(leader.points.size())];
    strip(from, bytes, *record, earlier.index < asked.index ? earlier : asked);
}

void BareAppends::strip(std::uint32_t from, std::vector<std::byte>& bytes, const wire::Record& record, const Point& point) {
    const auto append = record.as<wire::Append>();
    const LogIndex commit = world_.node(from).status(world_.local_now(from)).commit;
    const wire::Append bare(append.term(), point.index, point.term, commit.value(), append.cluster_time(), append.round(), 0,
                            append.flags(), append.checked_index(), append.checked_hash());
    const std::size_t entries = padded_to<wire::kRecordAlignment>(record.bytes.size());
    const auto fixed = bytes.begin() + (record.fixed.data() - bytes.data());
    const wire::RecordHead head(wire::kRecordHeadBytes + sizeof(bare), static_cast<std::uint8_t>(record.type), sizeof(bare));
    std::ranges::copy(bytes_of(head), fixed - wire::kRecordHeadBytes);
    std::ranges::copy(bytes_of(bare), fixed);
    const auto after = fixed + sizeof(bare);
    bytes.erase(after, after + static_cast<std::ptrdiff_t>(entries));
    const auto header = wire::load<wire::PacketHeader>(bytes);
    const wire::PacketHeader sealed(wire::kMagic, wire::kVersion, header.flags(), wire::packet_checksum(bytes), header.cluster(),
                                    header.source(), header.destination(), header.epoch(), header.session(), header.number());
    std::ranges::copy(bytes_of(sealed), bytes.begin());
    ++count_;
}

}  // namespace dunlin::sim
