#include "record_writer.hpp"

namespace dunlin_tool {

using dunlin::Status;

Status RecordWriter::begin(std::uint64_t device_bytes) {
    journal_->format(device_bytes, plan_->storage);
    return journal_->status();
}

std::optional<dunlin::journal::DeviceOp> RecordWriter::poll_op() {
    while (!finished_ && failure_ == Status::ok && journal_->checkpoint_takes_records()) {
        if (written_ == plan_->records.size()) {
            journal_->finish_checkpoint();
            finished_ = true;
            break;
        }
        const OwnedRecord& next = plan_->records[written_];
        const Status status = journal_->checkpoint_append(next.kind, next.bytes);
        if (status == Status::busy) break;
        if (status == Status::ok)
            ++written_;
        else
            failure_ = status;
    }
    return journal_->poll_op();
}

bool RecordWriter::done() const {
    if (failure_ != Status::ok || journal_->state() == dunlin::journal::State::failed) return true;
    return finished_ && !journal_->checkpointing() && journal_->durable() >= journal_->appended();
}

}  // namespace dunlin_tool
