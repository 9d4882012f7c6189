#include "storage/pool/control_server.h"

#include <cerrno>

#include "base/json.h"

namespace sheaf::pool {

namespace {

constexpr std::size_t most_clients = 64;
constexpr auto progress_interval = std::chrono::milliseconds{500};
constexpr auto without_descriptors = std::chrono::seconds{1};

ControlReply failure(const Error& error) {
    ControlReply reply;
    reply.error = ControlError{std::string{to_string(error.kind())}, error.text()};
    return reply;
}

Result<ControlRequest> parse_request(std::string_view line) {
    auto request = TRY_WITHIN(decode<ControlRequest>(line), "request");
    if (request.version != control_version)
        return fail(Kind::unsupported, "version {} of the control socket is not spoken here, {} is",
                    request.version, control_version);
    return request;
}

}  // namespace

struct ControlServer::Client {
    LineChannel channel;
    Conversation conversation;
};

ControlServer::ControlServer(io::Loop& loop, Fd listener, Served served)
    : loop_(loop), listener_(std::move(listener)), served_(std::move(served)) {
    tasks_.start(accept_all());
}

io::Task<void> ControlServer::stop() {
    tasks_.cancel();
    // How its conversations ended is their clients' business.
    static_cast<void>(co_await tasks_.join().result());
}

io::Task<void> ControlServer::accept_all() {
    while (true) {
        auto socket = co_await loop_.accept(listener_.get()).result();
        if (socket) {
            take(*std::move(socket));
        } else if (socket.error().kind() == Kind::exhausted) {
            // Descriptors are given back by whoever has them, unseen from here.
            co_await loop_.sleep(without_descriptors);
        } else if (socket.error().os_error() != ECONNABORTED) {
            co_await std::move(socket);
        }
    }
}

void ControlServer::take(Fd socket) {
    if (tasks_.size() <= most_clients) tasks_.start(serve(std::move(socket)));
}

// A client that goes away, or makes no sense, ends its own conversation alone.
io::Task<void> ControlServer::serve(Fd socket) {
    Client client{LineChannel{loop_, std::move(socket), control_request_limit}, {}};
    static_cast<void>(co_await converse(client).result());
}

io::Task<void> ControlServer::converse(Client& client) {
    ControlHello hello;
    hello.volume = served_.name;
    co_await client.channel.send(encode(hello));
    while (true) {
        auto line = co_await client.channel.receive().result();
        if (line && !*line) co_return;
        auto request = line ? parse_request(**line) : Result<ControlRequest>{Failure{line.error()}};
        const auto understood = request.has_value();
        const auto reply =
            request ? co_await answer(client, *std::move(request)) : failure(request.error());
        co_await client.channel.send(encode(reply));
        if (!understood) co_return;
    }
}

io::Task<ControlReply> ControlServer::answer(Client& client, ControlRequest request) {
    io::TaskGroup progress;
    progress.start(tell_progress(client));
    const Workplace here{loop_, served_.engine, served_.user};
    auto work = perform(here, std::move(request), client.conversation);
    auto status = co_await std::move(work).result();
    progress.cancel();
    static_cast<void>(co_await progress.join().result());
    if (!status) co_return failure(status.error());
    ControlReply reply;
    reply.result = *std::move(status);
    co_return reply;
}

io::Task<void> ControlServer::tell_progress(Client& client) {
    while (true) {
        co_await loop_.sleep(progress_interval);
        ControlReply reply;
        reply.progress = progress_of(served_.engine, client.conversation);
        if (reply.progress) co_await client.channel.send(encode(reply));
    }
}

}  // namespace sheaf::pool
