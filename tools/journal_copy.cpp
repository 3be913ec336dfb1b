#include "journal_copy.hpp"

#include "journal_file.hpp"
#include "journal_inspection.hpp"
#include "tool_error.hpp"

#include <dunlin/journal/bank_header.hpp>
#include <dunlin/node/records.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace dunlin_tool {
namespace {

using dunlin::journal::RecordKind;
using Verdict = JournalInspection::Verdict;

// What does not depend on the incarnation of the cluster, nor on a replica of its ledger.
bool goes_over(RecordKind kind) {
    switch (kind) {
        case RecordKind::none:
        case RecordKind::format:
        case RecordKind::bind:
        case RecordKind::hard_state:
        case RecordKind::log_entry:
        case RecordKind::image_chunk: return false;
        default: return true;
    }
}

// A bank that holds the records twice, so that its node has room to go on until it writes its own checkpoint.
std::uint64_t bytes_for(const std::vector<OwnedRecord>& records) {
    std::uint64_t bytes = 0;
    for (const OwnedRecord& each : records)
        bytes += dunlin::journal::record_bytes(static_cast<std::uint32_t>(each.bytes.size()), dunlin::journal::kRecordAlign);
    return 2 * (dunlin::journal::kHeaderSectorBytes + 2 * bytes);
}

}  // namespace

JournalCopy::JournalCopy(const std::string& path) : name_("the journal '" + path + "'") {
    JournalInspection inspection = inspect_journal(path, [this](const dunlin::journal::RecoveredRecord& record) {
        if (goes_over(record.kind)) kept_.push_back({record.kind, {record.bytes.begin(), record.bytes.end()}});
    });
    if (inspection.verdict != Verdict::whole && inspection.verdict != Verdict::torn_tail)
        throw ToolError(kCannotStart, name_ + " is not whole: `dunlin journal inspect` says where; nothing is made of it.");
    contents_ = std::move(*inspection.contents);
    file_bytes_ = inspection.file_bytes;
    record_bytes_max_ = inspection.banks[*inspection.current].header.record_bytes_max;
}

VoterEntry JournalCopy::entry(dunlin::StorageId storage) const {
    const std::vector<dunlin::ledger::MemberRow> members = contents_.replica.members();
    const auto own = std::ranges::find(members, contents_.format.node.value(), &dunlin::ledger::MemberRow::node);
    if (own == members.end()) {
        throw ToolError(kCannotStart, name_ + " has no log in which its own node " + std::to_string(contents_.format.node.value()) +
                                          " is a member of the cluster.");
    }
    return {contents_.format.node, storage, std::string(reinterpret_cast<const char*>(own->address), own->address_length)};
}

void JournalCopy::make(const std::string& path, dunlin::StorageId storage, dunlin::ClusterIncarnation incarnation,
                       std::vector<OwnedRecord> replica) const {
    dunlin::journal::FormatInfo format = contents_.format;
    format.storage = storage;
    JournalPlan plan{.storage = storage, .records = {}, .record_bytes_max = record_bytes_max_};
    plan.records.push_back(OwnedRecord::of(RecordKind::format, format));
    plan.records.push_back(OwnedRecord::of(RecordKind::bind, dunlin::bind_record(incarnation)));
    std::ranges::move(replica, std::back_inserter(plan.records));
    std::ranges::copy(kept_, std::back_inserter(plan.records));
    make_journal(path, std::max(file_bytes_, bytes_for(plan.records)), plan);
}

}  // namespace dunlin_tool
