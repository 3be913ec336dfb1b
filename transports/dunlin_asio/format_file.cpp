#include <dunlin_asio/format_file.hpp>

#include <optional>

namespace dunlin_asio {

dunlin::Status format(asio::io_context& io, FileDevice& file, dunlin::Formatter& formatter) {
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
