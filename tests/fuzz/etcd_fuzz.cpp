// A server that answers a client of etcd with any bytes, in any pieces; and the same bytes as the
// body of an answer to each request, as lines of a watch, and as a URL. Whoever asked has a
// sentence or something sound.

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "http/client_connection.h"
#include "http/url.h"
#include "io/sim_loop.h"
#include "io/task_group.h"
#include "message.h"
#include "store/etcd_wire.h"
#include "store/kv.h"

namespace sheaf::kv {
namespace {

using test::check_message;
using test::require;

constexpr std::size_t limit = 4096;

io::Task<void> say(io::Loop& loop, Fd socket, std::string_view text) {
    for (auto rest = as_bytes(text); !rest.empty();)
        rest = rest.subspan(co_await loop.send(socket.get(), rest, 0));
}

io::Task<void> ask_twice(io::Loop& loop, Fd socket) {
    auto stream = std::make_unique<io::SocketStream>(loop, std::move(socket));
    http::ClientConnection connection{std::move(stream), "host"};
    const http::Request request{.method = "POST", .target = "/v3", .headers = {}, .body = "{}"};
    const auto first = co_await connection.ask(request, limit).result();
    if (!first) check_message(first.error());
    if (!first || !connection.is_free()) co_return;
    require(first->body.size() <= limit);
    const auto second = co_await connection.ask(request, limit).result();
    if (!second) check_message(second.error());
}

io::Task<void> answer_a_client(io::SimLoop& loop, std::string_view said) {
    auto ends = co_await loop.network().connection();
    io::TaskGroup talk;
    talk.start(say(loop, std::move(ends.second), said));
    co_await ask_twice(loop, std::move(ends.first));
    talk.cancel();
    static_cast<void>(co_await talk.join().result());  // nobody hears the rest
}

void check_records(const std::vector<Record>& records) {
    for (const auto& record : records) require(!record.key.empty() && record.modified != 0);
}

template <class T>
bool is_sound(const Result<T>& parsed) {
    if (!parsed) check_message(parsed.error());
    return parsed.has_value();
}

void check_answers(std::string_view body) {
    if (const auto range = etcd::parse_range(body); is_sound(range)) check_records(range->records);
    if (const auto commit = etcd::parse_commit(body); is_sound(commit))
        require(commit->header.revision != 0);
    if (const auto lease = etcd::parse_grant(body); is_sound(lease))
        require(lease->id != 0 && lease->ttl.count() > 0);
    if (const auto lease = etcd::parse_renewal(body); is_sound(lease))
        require(lease->ttl.count() >= 0);
    static_cast<void>(is_sound(etcd::parse_done(body)));
    check_message(etcd::failure_of(404, body).error());
    const auto watch = etcd::parse_watch(body);
    if (!is_sound(watch)) return;
    for (const auto& change : watch->changes) {
        require(!change.key.empty() && change.revision != 0);
        require(!change.now || change.now->key == change.key);
    }
}

void check_url(std::string_view text) {
    const auto url = http::parse_url(text);
    if (!is_sound(url)) return;
    const auto again = http::parse_url(url->text());
    require(again && again->text() == url->text());
}

}  // namespace
}  // namespace sheaf::kv

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace kv = sheaf::kv;
    const auto said = sheaf::as_text(std::as_bytes(std::span{data, size}));
    auto loop = sheaf::io::SimLoop::create(size).value();
    loop->network().set_faults({.short_transfer = 0.5});
    kv::require(sheaf::io::run(*loop, kv::answer_a_client(*loop, said)).has_value());
    kv::check_answers(said);
    kv::check_url(said);
    return 0;
}
