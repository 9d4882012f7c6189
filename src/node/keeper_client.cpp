#include "node/keeper_client.h"

#include <poll.h>

#include <array>

#include "base/bytes.h"
#include "node/unix_socket.h"

namespace sheaf::node {

namespace {

int number_at(const Json& object, std::string_view name) {
    const auto* member = object.find(name);
    return static_cast<int>(member ? member->integer().value_or(0) : 0);
}

Result<KeeperHello> parse_hello(std::string_view line) {
    const auto told = TRY_WITHIN(Json::parse(line), "the keeper's hello");
    if (told.text_at({"hello"}) != keeper::hello)
        return fail(Kind::invalid, "who answers is no keeper");
    auto hello = KeeperHello{};
    hello.machine = told.text_at({"machine"});
    hello.cookie = told.text_at({"cookie"});
    hello.product = told.text_at({"product"});
    const auto common = std::min(keeper::version, number_at(told, "version"));
    if (common < std::max(keeper::oldest_version, number_at(told, "oldest")))
        return fail(Kind::unsupported,
                    "the keeper (sheaf {}) speaks versions {} to {}, not {} to {}", hello.product,
                    number_at(told, "oldest"), number_at(told, "version"), keeper::oldest_version,
                    keeper::version);
    hello.version = common;
    const auto* status = told.find("status");
    if (!status) return fail(Kind::invalid, "the keeper's hello has no status");
    hello.status = TRY(keeper::parse_status(*status));
    return hello;
}

}  // namespace

Json::Object fields_of(ConsoleHistory history) {
    Json::Object fields{{"bytes", std::uint64_t{history.bytes}}};
    if (history.lines) fields.push_back({"lines", std::uint64_t{*history.lines}});
    return fields;
}

// A descriptor that cannot be duplicated leaves a client that knows of no end before it reads it.
KeeperClient::KeeperClient(io::Loop& loop, Fd socket)
    : loop_(loop),
      socket_(socket.duplicate().value_or(Fd{})),
      channel_(loop, std::move(socket), keeper::longest_line) {}

Result<std::unique_ptr<KeeperClient>> KeeperClient::connect(io::Loop& loop,
                                                            const std::string& path) {
    return std::make_unique<KeeperClient>(loop, TRY(connect_to(path)));
}

io::Task<std::string> KeeperClient::receive() {
    const auto line = co_await channel_.receive();
    if (!line) co_await fail(Kind::unavailable, "the keeper has closed");
    co_return *line;
}

io::Task<KeeperHello> KeeperClient::greet() {
    const auto line = co_await receive();
    auto hello = co_await parse_hello(line);
    version_ = hello.version;
    co_return hello;
}

io::Task<void> KeeperClient::send(std::string request, Json::Object fields) {
    auto line = Json::object({{"version", version_}, {"request", std::move(request)}});
    for (auto& field : fields) line[field.name] = std::move(field.value);
    co_await channel_.send(line.text());
}

io::Task<Json> KeeperClient::ask(std::string request, Json::Object fields) {
    co_await send(std::move(request), std::move(fields));
    const auto line = co_await receive();
    co_return co_await keeper::parse_answer(line);
}

io::Task<void> KeeperClient::begin_watch() {
    co_await send("watch", {});
}

io::Task<std::optional<KeeperStatus>> KeeperClient::next_status() {
    const auto line = co_await channel_.receive();
    if (!line) co_return std::nullopt;
    const auto told = co_await Json::parse(*line);
    const auto* status = told.find("status");
    if (!status) co_await fail(Kind::invalid, "the keeper told no status");
    co_return co_await keeper::parse_status(*status);
}

// What follows the answer's line is the guest's: no byte more than the line is taken.
io::Task<Fd> KeeperClient::attach_console(ConsoleHistory history) {
    co_await send("console", fields_of(history));
    std::string line;
    while (!line.ends_with('\n')) {
        std::array<std::byte, 1> next;
        const auto count = co_await loop_.recv(socket_.get(), next, 0);
        if (count == 0) co_await fail(Kind::unavailable, "the keeper has closed");
        line += as_text(next);
        if (line.size() > keeper::longest_request)
            co_await fail(Kind::invalid, "the keeper's answer is too long");
    }
    static_cast<void>(co_await keeper::parse_answer(line));
    co_return std::move(socket_);
}

io::Task<void> KeeperClient::until_closed() {
    std::array<std::byte, 4096> any;
    while (true) {
        const auto count = co_await loop_.recv(socket_.get(), any, 0).result();
        if (!count && count.error().kind() == Kind::cancelled) co_await Failure{count.error()};
        if (!count || *count == 0) co_return;
    }
}

bool KeeperClient::closed() const {
    pollfd end{socket_.get(), POLLRDHUP, 0};
    return ::poll(&end, 1, 0) == 1;
}

}  // namespace sheaf::node
