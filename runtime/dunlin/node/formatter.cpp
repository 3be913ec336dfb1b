#include <dunlin/node/formatter.hpp>

#include <dunlin/consensus/journal_records.hpp>
#include <dunlin/journal/format_info.hpp>
#include <dunlin/node/records.hpp>

#include <algorithm>

namespace dunlin {

Status Formatter::begin(std::uint64_t device_bytes) {
    if (plan_.node == NodeId{} || plan_.storage == StorageId{} || plan_.stream == StreamId{}) return Status::invalid_argument;
    if (plan_.cluster.empty() || plan_.cluster.size() > kClusterNameBytesMax) return Status::invalid_argument;
    if (plan_.init) {
        if (const Status status = check_bootstrap(); status != Status::ok) return status;
    }
    journal_->format(device_bytes, plan_.storage);
    return journal_->status();
}

// What the cluster could never begin with is refused here: a bootstrap entry is written once, and nothing changes it.
Status Formatter::check_bootstrap() const {
    std::array<std::byte, ledger::kBootstrapBytesMax> payload{};
    const auto bootstrap = ledger::encode(plan_.bootstrap, payload);
    ledger::BootstrapHead head{};
    if (!ledger::decode(bootstrap, head)) return Status::invalid_argument;
    const bool votes = std::ranges::any_of(plan_.bootstrap.voters, [this](const ledger::MemberRow& row) {
        return row.node == plan_.node.value() && row.storage == plan_.storage.value();
    });
    if (!votes) return Status::not_found;
    const bool fits = sizeof(consensus::LogEntryRecord) + bootstrap.size() <= journal_->payload_bytes_max();
    return fits ? Status::ok : Status::too_large;
}

// format · init: bind, hard state, the bootstrap entry
Status Formatter::append_next() {
    switch (position_) {
        case 0: {
            journal::FormatInfo info;
            const Status status = journal::fill(info, plan_.node, plan_.storage, plan_.stream, plan_.cluster);
            if (status != Status::ok) return status;
            return journal_->checkpoint_append(journal::RecordKind::format, journal::encode(info));
        }
        case 1: return journal_->checkpoint_append(journal::RecordKind::bind, bytes_of(bind_record(plan_.bootstrap.incarnation)));
        case 2: {
            const auto record = consensus::bootstrap_hard_state();
            return journal_->checkpoint_append(journal::RecordKind::hard_state, bytes_of(record));
        }
        default: {
            const auto record = consensus::bootstrap_log_entry();
            std::array<std::byte, ledger::kBootstrapBytesMax> payload{};
            const auto bootstrap = ledger::encode(plan_.bootstrap, payload);
            return journal_->checkpoint_append(journal::RecordKind::log_entry, bytes_of(record), bootstrap);
        }
    }
}

std::optional<journal::DeviceOp> Formatter::poll_op() {
    const std::uint8_t end = plan_.init ? 4 : 1;
    while (!finished_ && failure_ == Status::ok && journal_->checkpoint_takes_records()) {
        const Status status = append_next();
        if (status == Status::busy) break;
        if (status != Status::ok) {
            failure_ = status;
            break;
        }
        if (++position_ == end) {
            journal_->finish_checkpoint();
            finished_ = true;
        }
    }
    return journal_->poll_op();
}

bool Formatter::done() const {
    if (failure_ != Status::ok || journal_->state() == journal::State::failed) return true;
    return finished_ && !journal_->checkpointing() && journal_->durable() >= journal_->appended();
}

}  // namespace dunlin
