// A client that says any bytes in any pieces to a connection of the server, with handlers that
// answer at once and in streams; and the same bytes as a target. Whoever asked hears HTTP or
// nothing.

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "http/server_connection.h"
#include "http/target.h"
#include "io/sim_loop.h"
#include "io/time_limit.h"
#include "message.h"

namespace sheaf::http {
namespace {

using test::check_message;
using test::require;

class Answers final : public Handler {
  public:
    io::Task<void> handle(Exchange& exchange) override {
        const auto& request = exchange.request();
        require(request.target.size() <= RequestParser::longest_target);
        require(request.body.size() <= RequestParser::longest_body);
        if (request.target.size() % 2 == 1) {
            std::vector<Header> none;
            co_await exchange.begin_stream(200, std::move(none));
            co_await exchange.send_piece(request.body);
            co_return;
        }
        Reply reply;
        reply.body = request.body;
        co_await exchange.reply(std::move(reply));
    }
};

io::Task<void> hear(io::ByteStream& stream, std::string& heard) {
    std::array<std::byte, 4096> buffer{};
    while (const auto count = co_await stream.receive(buffer))
        heard += as_text(std::span{buffer}.first(count));
}

io::Task<void> say(io::ByteStream& stream, std::string_view said) {
    co_await stream.send(as_bytes(said));
}

io::Task<void> converse(io::SimLoop& loop, std::string_view said) {
    Answers answers;
    HostClock clock;
    auto ends = co_await loop.network().connection();
    auto server = std::make_unique<io::SocketStream>(loop, std::move(ends.second));
    MemoryBudget memory{4 << 20};
    ServerConnection connection{{loop, answers, clock, memory}, std::move(server), {}, {}};
    io::TaskGroup group;
    group.start(connection.serve());
    std::string heard;
    {
        io::SocketStream client{loop, std::move(ends.first)};
        io::TaskGroup talk;
        talk.start(say(client, said));
        static_cast<void>(
            co_await io::within(loop, std::chrono::hours{1}, hear(client, heard)).result());
        talk.cancel();
        static_cast<void>(co_await talk.join().result());  // nobody may hear the rest
    }
    co_await group.join();
    require(heard.empty() || heard.starts_with("HTTP/1.1 "));
}

}  // namespace
}  // namespace sheaf::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace http = sheaf::http;
    const auto said = sheaf::as_text(std::as_bytes(std::span{data, size}));
    auto loop = sheaf::io::SimLoop::create(size).value();
    loop->network().set_faults({.short_transfer = 0.5});
    http::require(sheaf::io::run(*loop, http::converse(*loop, said)).has_value());
    http::require(!loop->stalled());
    const auto target = http::parse_target(said);
    if (!target) http::check_message(target.error());
    return 0;
}
