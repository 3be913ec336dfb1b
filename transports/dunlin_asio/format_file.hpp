#pragma once

#include <dunlin/core/status.hpp>

#include <dunlin_asio/file_device.hpp>

#include <asio/io_context.hpp>
#include <optional>

namespace dunlin_asio {

// Runs a formatter, or what is driven like one, on the file to its end and returns its status: what makes a journal before there is
// a node. Blocks for a few syncs. Whatever the file held is gone: the caller asks first.
template <class Formatter>
dunlin::Status format(asio::io_context& io, FileDevice& file, Formatter& formatter) {
    if (const dunlin::Status status = formatter.begin(file.bytes()); status != dunlin::Status::ok) return status;
    while (!formatter.done()) {
        if (const std::optional<dunlin::journal::DeviceOp> operation = formatter.poll_op()) file.start(*operation);
        if (!file.busy()) continue;
        std::optional<FileDevice::Completion> completion;
        while (!(completion = file.take_completion())) {
            io.restart();
            io.run_one();
        }
        formatter.on_complete(completion->id, completion->status);
    }
    return formatter.status();
}

}  // namespace dunlin_asio
