#include "control_socket.hpp"

#include "status_json.hpp"
#include "values.hpp"

#include <dunlin_asio/boot_clock.hpp>
#include <dunlin_asio/host_error.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <asio/buffer.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <utility>

namespace dunlin_tool {
namespace {

using Json = nlohmann::ordered_json;
using Protocol = asio::local::stream_protocol;

constexpr std::size_t kRequestBytesMax = 8192;

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

// A path that is left over from a process that died is free; one that somebody serves is not.
void free_path(asio::io_context& io, const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
    Protocol::socket probe(io);
    std::error_code error;
    probe.connect(Protocol::endpoint(path), error);
    if (!error) throw dunlin_asio::HostError("the socket '" + path + "' is in use by another process.");
    ::unlink(path.c_str());
}

// A text member of a request, or nothing.
std::optional<std::string> text(const Json& request, const char* name) {
    const auto found = request.find(name);
    if (found == request.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
}

std::optional<dunlin::NodeId> node_of(const Json& request) {
    const auto found = request.find("id");
    if (found == request.end() || !found->is_number_unsigned()) return std::nullopt;
    const auto id = found->get<std::uint64_t>();
    if (id == 0 || id > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
    return dunlin::NodeId{static_cast<std::uint16_t>(id)};
}

// `address` keeps the bytes of the command's.
std::optional<dunlin::ledger::MemberCommand> member_command(const Json& request, std::string& address) {
    using dunlin::consensus::ChangeOp;
    static const std::map<std::string, ChangeOp> kOps{
        {"add", ChangeOp::add_learner}, {"promote", ChangeOp::promote}, {"demote", ChangeOp::demote}, {"remove", ChangeOp::remove}};
    const std::optional<dunlin::NodeId> node = node_of(request);
    const auto op = kOps.find(text(request, "op").value_or(""));
    if (!node || op == kOps.end()) return std::nullopt;
    dunlin::ledger::MemberCommand command;
    command.change = {.storage = 0, .node = node->value(), .op = static_cast<std::uint8_t>(op->second), .reserved0 = 0, .reserved1 = 0};
    if (const std::optional<std::string> storage = text(request, "storage")) {
        const std::optional<std::uint64_t> number = read_number("0x" + *storage);
        if (!number) return std::nullopt;
        command.change.storage = *number;
    }
    address = text(request, "address").value_or("");
    command.address = std::as_bytes(std::span(address));
    return command;
}

}  // namespace

struct ControlSocket::Connection {
    explicit Connection(Protocol::socket socket) : stream(std::move(socket)) {}
    Protocol::socket stream;
    std::string input;
    std::string output;
};

ControlSocket::ControlSocket(HostedNode& host, const std::string& path) : host_(host), path_(path), acceptor_(host.io()) {
    try {
        free_path(host.io(), path);
        const Protocol::endpoint endpoint(path);
        acceptor_.open(endpoint.protocol());
        const mode_t mask = ::umask(0177);
        std::error_code error;
        acceptor_.bind(endpoint, error);
        ::umask(mask);
        if (error) throw std::system_error(error);
        acceptor_.listen();
    } catch (const std::system_error& error) {
        throw dunlin_asio::HostError("cannot listen at the socket '" + path + "'", error.code().value());
    }
    accept();
}

ControlSocket::~ControlSocket() { ::unlink(path_.c_str()); }

void ControlSocket::accept() {
    acceptor_.async_accept([this](const std::error_code& error, Protocol::socket socket) {
        if (error) return;
        read_request(std::make_shared<Connection>(std::move(socket)));
        accept();
    });
}

void ControlSocket::read_request(const std::shared_ptr<Connection>& connection) {
    asio::async_read_until(connection->stream, asio::dynamic_buffer(connection->input, kRequestBytesMax), '\n',
                           [this, connection](const std::error_code& error, std::size_t bytes) {
                               if (error) return;  // the connection ends with its last reference
                               const std::string line = connection->input.substr(0, bytes);
                               connection->input.erase(0, bytes);
                               serve(connection, line);
                           });
}

void ControlSocket::serve(const std::shared_ptr<Connection>& connection, std::string_view line) {
    const Json request = Json::parse(line, nullptr, false);
    if (!request.is_object()) return refuse(connection, "a request is one JSON object a line");
    const std::optional<std::string> name = text(request, "request");
    const dunlin::Instant now = dunlin_asio::boot_now();
    if (name == "status") {
        Json json{{"ok", true}};
        json.update(status_json(now, host_.node(), host_.udp(), request.value("counters", Json(false)) == Json(true)));
        return reply(connection, line_of(json));
    }
    if (name == "transfer") {
        const std::optional<dunlin::NodeId> to = node_of(request);
        return to ? start_call(connection, host_.node().transfer_leadership(now, *to), CallKind::transfer)
                  : refuse(connection, "the request has no id of 1..65535");
    }
    if (name == "member") {
        std::string address;
        const std::optional<dunlin::ledger::MemberCommand> command = member_command(request, address);
        return command ? start_call(connection, host_.node().change_member(now, *command), CallKind::member)
                       : refuse(connection, "the request is no change of a member");
    }
    const std::optional<std::string> key = text(request, "key");
    if ((name == "put" || name == "get") && !key) return refuse(connection, "the request has no key");
    if (name == "get") return start_call(connection, host_.node().get(now, *key), CallKind::get);
    const std::optional<std::string> value = text(request, "value");
    if (name != "put") return refuse(connection, "no such request");
    if (!value) return refuse(connection, "the request has no value");
    start_call(connection, host_.node().put(now, *key, std::as_bytes(std::span(*value))), CallKind::put);
}

void ControlSocket::start_call(const std::shared_ptr<Connection>& connection, dunlin::Result<dunlin::RequestId> call, CallKind kind) {
    if (!call.ok()) return refuse(connection, dunlin::to_string(call.status()));
    calls_[call.value()] = {connection, kind};
}

void ControlSocket::take_event(const dunlin::Event& event) {
    if (event.kind != dunlin::EventKind::request_done) return;
    const auto found = calls_.find(event.request);
    if (found == calls_.end()) return;
    const Call call = std::move(found->second);
    calls_.erase(found);
    if (event.status != dunlin::Status::ok) {
        return refuse(call.connection, dunlin::to_string(event.status), event.effect == dunlin::Effect::unknown);
    }
    Json json{{"ok", true}};
    if (call.kind == CallKind::member) json["index"] = event.value;
    if (call.kind == CallKind::put || call.kind == CallKind::get) json["revision"] = event.value;
    if (call.kind == CallKind::get) {
        const std::span<const std::byte> bytes = host_.node().value_of(event.request);
        json["value"] = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    reply(call.connection, line_of(json));
}

void ControlSocket::reply(const std::shared_ptr<Connection>& connection, std::string line) {
    connection->output = std::move(line);
    asio::async_write(connection->stream, asio::buffer(connection->output), [this, connection](const std::error_code& error, std::size_t) {
        if (!error) read_request(connection);
    });
}

void ControlSocket::refuse(const std::shared_ptr<Connection>& connection, std::string_view error, bool effect_unknown) {
    Json json{{"ok", false}, {"error", error}};
    if (effect_unknown) json["effect"] = "unknown";
    reply(connection, line_of(json));
}

}  // namespace dunlin_tool
