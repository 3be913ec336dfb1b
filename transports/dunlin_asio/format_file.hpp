#pragma once

#include <dunlin/core/status.hpp>
#include <dunlin/node/formatter.hpp>

#include <dunlin_asio/file_device.hpp>

#include <asio/io_context.hpp>

namespace dunlin_asio {

// Runs a formatter on the file to its end and returns its status; what `init` and `join` do before there is a node. Blocks for a few
// syncs. Whatever the file held is gone: the caller asks first.
dunlin::Status format(asio::io_context& io, FileDevice& file, dunlin::Formatter& formatter);

}  // namespace dunlin_asio
