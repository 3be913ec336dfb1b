#include <dunlin/bus/fence_gate.hpp>

#include <dunlin/core/assert.hpp>
#include <dunlin/core/bytes.hpp>

#include <algorithm>

namespace dunlin::bus {

FenceGate::FenceGate(std::span<FenceRow> rows, journal::Journal* journal, Counters& counters)
    : rows_(rows), journal_(journal), counters_(&counters) {}

FenceRow* FenceGate::find(LeaseKey lease) {
    for (FenceRow& row : rows_) {
        if (row.taken && row.lease == lease) return &row;
    }
    return nullptr;
}

const FenceRow* FenceGate::find(LeaseKey lease) const {
    for (const FenceRow& row : rows_) {
        if (row.taken && row.lease == lease) return &row;
    }
    return nullptr;
}

FenceRow* FenceGate::find_or_take(LeaseKey lease) {
    if (FenceRow* row = find(lease)) return row;
    for (FenceRow& row : rows_) {
        if (row.taken) continue;
        row = FenceRow{.lease = lease, .taken = true};
        return &row;
    }
    return nullptr;
}

Status FenceGate::guard(LeaseKey lease, std::string_view name) {
    DUNLIN_ASSERT(!name.empty() && name.size() <= kLeaseNameBytesMax);
    FenceRow* const row = find_or_take(lease);
    if (row == nullptr) return Status::table_full;
    std::ranges::copy(name, row->name.begin());
    row->name_bytes = static_cast<std::uint8_t>(name.size());
    return Status::ok;
}

bool FenceGate::durable(const FenceRow& row) const { return journal_ == nullptr || journal_->durable() >= row.gate; }

Status FenceGate::admit(LeaseKey lease, Token token) {
    FenceRow* const row = find(lease);
    if (row == nullptr) return Status::not_found;
    // Order, not equality: any token below the floor is stale, and one above it deposes the floor.
    if (token == Token{} || token < row->floor) return Status::fenced;
    const bool raised = row->known && ((token == row->floor && row->kept) || raise(*row, token));
    if (raised && durable(*row)) return Status::ok;
    row->asked = true;
    return Status::busy;
}

bool FenceGate::raise(FenceRow& row, Token token) {
    if (journal_ != nullptr) {
        const FenceFloorRecord record{.lease = row.lease.value(), .token = token.value()};
        const Result<JournalSequence> appended = journal_->append(journal::RecordKind::fence_floor, bytes_of(record));
        if (!appended.ok()) return false;
        row.gate = appended.value();
    }
    row.floor = token;
    row.kept = true;
    counters_->add(Counter::fence_floor_raised);
    return true;
}

Token FenceGate::floor(LeaseKey lease) const {
    const FenceRow* const row = find(lease);
    return row != nullptr ? row->floor : Token{};
}

std::optional<std::string_view> FenceGate::needs_floor_read() const {
    for (const FenceRow& row : rows_) {
        if (row.taken && !row.known) return std::string_view(row.name.data(), row.name_bytes);
    }
    return std::nullopt;
}

void FenceGate::floor_known(LeaseKey lease, Token token) {
    FenceRow* const row = find(lease);
    if (row == nullptr) return;
    row->known = true;
    if (token <= row->floor) return;
    row->floor = token;
    row->kept = false;
}

bool FenceGate::ready() const {
    return std::ranges::any_of(rows_, [this](const FenceRow& row) { return row.asked && row.known && durable(row); });
}

bool FenceGate::take_ready() {
    const bool any = ready();
    for (FenceRow& row : rows_) row.asked = row.asked && !(row.known && durable(row));
    return any;
}

Status FenceGate::replay(std::span<const std::byte> record) {
    FenceFloorRecord floor{};
    if (!take_all(record, floor)) return Status::corrupt;
    FenceRow* const row = find_or_take(LeaseKey{floor.lease});
    if (row == nullptr) return Status::table_full;
    if (Token{floor.token} > row->floor) row->floor = Token{floor.token};
    row->known = row->kept = true;
    return Status::ok;
}

Status FenceGate::emit_live(std::uint32_t& cursor, const EmitRecord& emit) const {
    for (; cursor < rows_.size(); ++cursor) {
        const FenceRow& row = rows_[cursor];
        if (!row.taken || !row.kept) continue;
        const FenceFloorRecord record{.lease = row.lease.value(), .token = row.floor.value()};
        const Status status = emit(journal::RecordKind::fence_floor, bytes_of(record), {});
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

}  // namespace dunlin::bus
