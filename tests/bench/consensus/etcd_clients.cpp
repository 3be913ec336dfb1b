// Clients of etcd, all in one thread: its gRPC method etcdserverpb.KV/Put over HTTP/2 (libnghttp2), which costs this process less than
// etcd's own client would, and so leaves more of the machine to etcd. variant=each: a connection for each client; shared: one for all.
#include "load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace {

using consensus_bench::Load;

constexpr std::size_t kStreamsMax = 4000;  // of a connection, mode "paced": where nobody answers
constexpr std::int64_t kReconnect_ns = 20'000'000;

// A PutRequest {1: key, 2: value} as a gRPC message: not compressed, its length.
std::string put_message(const std::string& key, std::uint64_t number) {
    const auto value = consensus_bench::value_of(number);
    static_assert(consensus_bench::kKeyBytes < 128 && consensus_bench::kValueBytes < 128, "each length is one byte");
    std::string body;
    body += '\x0a';
    body += static_cast<char>(key.size());
    body += key;
    body += '\x12';
    body += static_cast<char>(value.size());
    body.append(reinterpret_cast<const char*>(value.data()), value.size());
    return std::string{'\0', '\0', '\0', '\0', static_cast<char>(body.size())} + body;
}

struct Client {
    std::size_t number = 0;
    std::uint64_t puts = 0;
    std::int64_t issued_ns = 0;
    bool warm = false;
};

struct Stream {
    Client* client = nullptr;
    std::int64_t issued_ns = 0;
    std::string message{};
    std::size_t sent = 0;
    bool ok = false;
};

// One connection and the clients that use it. When it breaks, what was under way has failed, and it is tried again.
class Connection {
  public:
    Connection(int epoll, std::string server, std::vector<std::size_t> clients, const link_bench::Arguments& arguments, Load& load)
        : epoll_(epoll), server_(std::move(server)), pause_ns_(std::int64_t{arguments.pause_us} * 1000), load_(&load) {
        for (const std::size_t number : clients) clients_.push_back({.number = number});
        open();
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { close(); }

    void on_readable() {
        std::array<std::uint8_t, 16384> buffer;
        while (descriptor_ >= 0) {
            const ssize_t bytes = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) break;
            if (bytes <= 0 || nghttp2_session_mem_recv(session_, buffer.data(), static_cast<std::size_t>(bytes)) != bytes) return fail();
            if (static_cast<std::size_t>(bytes) < buffer.size()) break;
        }
        flush();
    }
    // All clients are warm.
    void go() {
        for (Client& client : clients_) put(client);
        flush();
    }
    void tick(std::int64_t now) {
        if (descriptor_ < 0) {
            if (now >= retry_ns_) open();
            return;
        }
        if (!load_->paced() || !load_->warm()) return;
        for (Client& client : clients_) {
            if (now >= client.issued_ns + pause_ns_ && streams_.size() < kStreamsMax) put(client);
        }
        flush();
    }

  private:
    void open() {
        retry_ns_ = link_bench::now_ns() + kReconnect_ns;
        const std::size_t colon = server_.find(':');
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(server_.c_str() + colon + 1)));
        ::inet_pton(AF_INET, server_.substr(0, colon).c_str(), &address.sin_addr);
        const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {  // on loopback it is soon told
            ::close(descriptor);
            return;
        }
        descriptor_ = descriptor;
        const int on = 1;
        ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_session_client_new(&session_, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = this;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor_, &event);
        for (Client& client : clients_) {
            if (!client.warm) put(client);
        }
        flush();
    }
    void close() {
        if (descriptor_ < 0) return;
        ::close(descriptor_);
        descriptor_ = -1;
        nghttp2_session_del(session_);
        streams_.clear();
    }
    void fail() {
        if (!load_->paced()) {
            std::fprintf(stderr, "etcd_clients: the connection with %s broke\n", server_.c_str());
            std::exit(3);
        }
        close();
    }

    void put(Client& client) {
        auto stream = std::make_unique<Stream>();
        stream->client = &client;
        stream->issued_ns = client.issued_ns = link_bench::now_ns();
        stream->message = put_message(consensus_bench::key_of(client.number), ++client.puts);
        const std::array headers{header(":method", "POST"),     header(":scheme", "http"),
                                 header(":authority", server_), header(":path", "/etcdserverpb.KV/Put"),
                                 header("te", "trailers"),      header("content-type", "application/grpc")};
        nghttp2_data_provider body{};
        body.source.ptr = stream.get();
        body.read_callback = read_message;
        const std::int32_t id = nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(), &body, stream.get());
        if (id > 0) streams_.emplace(id, std::move(stream));
    }
    static nghttp2_nv header(std::string_view name, std::string_view value) {
        const auto bytes = [](std::string_view text) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); };
        return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
    }
    static ssize_t read_message(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room, std::uint32_t* flags,
                                nghttp2_data_source* source, void*) {
        auto& stream = *static_cast<Stream*>(source->ptr);
        const std::size_t bytes = std::min(room, stream.message.size() - stream.sent);
        std::memcpy(out, stream.message.data() + stream.sent, bytes);
        stream.sent += bytes;
        if (stream.sent == stream.message.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(bytes);
    }
    static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_bytes,
                         const std::uint8_t* value, std::size_t value_bytes, std::uint8_t, void*) {
        const std::string_view key(reinterpret_cast<const char*>(name), name_bytes);
        auto* stream = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
        if (stream != nullptr && key == "grpc-status") {
            stream->ok = std::string_view(reinterpret_cast<const char*>(value), value_bytes) == "0";
        }
        return 0;
    }
    static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* self) {
        static_cast<Connection*>(self)->ended(id);
        return 0;
    }
    void ended(std::int32_t id) {
        const auto found = streams_.find(id);
        if (found == streams_.end()) return;
        const std::unique_ptr<Stream> stream = std::move(found->second);
        streams_.erase(found);
        Client& client = *stream->client;
        if (client.warm) {
            load_->done(client.number, stream->issued_ns, stream->ok ? "" : "refused");
            if (!load_->paced() && !load_->over()) put(client);
        } else if (stream->ok) {
            client.warm = true;
            load_->warmed();
        } else {
            put(client);
        }
    }

    void flush() {
        if (descriptor_ < 0) return;
        for (const std::uint8_t* data = nullptr;;) {
            const ssize_t bytes = nghttp2_session_mem_send(session_, &data);
            if (bytes <= 0) break;
            output_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(bytes));
        }
        if (output_.empty()) return;
        // The socket blocks on sending: what is under way here is far less than its buffer.
        const ssize_t sent = ::send(descriptor_, output_.data(), output_.size(), MSG_NOSIGNAL);
        const bool whole = sent == static_cast<ssize_t>(output_.size());
        output_.clear();
        if (!whole) fail();
    }

    int epoll_;
    std::string server_;
    std::int64_t pause_ns_;
    Load* load_;
    std::vector<Client> clients_;
    std::map<std::int32_t, std::unique_ptr<Stream>> streams_;
    std::string output_;
    nghttp2_session* session_ = nullptr;
    std::int64_t retry_ns_ = 0;
    int descriptor_ = -1;
};

void run(const link_bench::Arguments& arguments) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    Load load(arguments);
    const std::vector<std::string> servers = consensus_bench::servers_of(arguments);
    const bool shared = arguments.variant == "shared";
    std::vector<std::unique_ptr<Connection>> connections;
    for (std::size_t i = 0; i < (shared ? 1U : arguments.clients); ++i) {
        std::vector<std::size_t> clients{i};
        for (std::size_t other = 1; shared && other < arguments.clients; ++other) clients.push_back(other);
        connections.push_back(std::make_unique<Connection>(epoll, servers[i % servers.size()], clients, arguments, load));
    }
    const int patience_ms = load.paced() ? 1 : 5;
    bool begun = false;
    while (!load.over()) {
        std::array<epoll_event, 64> events;
        const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), patience_ms);
        for (int i = 0; i < count; ++i) static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr)->on_readable();
        if (load.paced() || !load.warm()) {
            for (const auto& connection : connections) connection->tick(link_bench::now_ns());
        }
        if (!begun && load.warm()) {
            begun = true;
            if (!load.paced()) {
                for (const auto& connection : connections) connection->go();
            }
        }
        load.tick();
    }
    load.print();
}

}  // namespace

int main(int count, char** words) { run(link_bench::parse(count, words)); }
