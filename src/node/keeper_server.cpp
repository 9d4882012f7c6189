#include "node/keeper_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/json_path.h"
#include "io/time_limit.h"
#include "node/keeper_protocol.h"

namespace sheaf::node {

namespace {

constexpr std::size_t most_clients = 64;
constexpr std::chrono::hours longest_grace{24};
constexpr auto without_descriptors = std::chrono::seconds{1};
constexpr auto farewell = std::chrono::seconds{1};  // of who reads slowly at the end

bool may_command(const Fd& socket) {
    ucred who{};
    socklen_t size = sizeof(who);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
    return who.uid == 0 || who.uid == ::geteuid();
}

std::optional<std::size_t> count_in(const Json& fields, std::string_view name) {
    const auto* count = fields.find(name);
    const auto number = count ? count->integer() : std::nullopt;
    if (!number || *number < 0) return {};
    return static_cast<std::size_t>(*number);
}

ConsoleHistory history_in(const Json& fields) {
    return {count_in(fields, "bytes").value_or(ConsoleHub::kept), count_in(fields, "lines")};
}

Result<std::chrono::seconds> grace_in(const Json& fields) {
    const auto* grace = fields.find("grace");
    const auto seconds = grace ? grace->integer() : std::nullopt;
    if (!seconds || *seconds < 0 || *seconds > std::chrono::seconds{longest_grace}.count())
        return fail(Kind::invalid, "power_button needs grace, a number of seconds up to {}",
                    std::chrono::seconds{longest_grace}.count());
    return std::chrono::seconds{*seconds};
}

}  // namespace

KeeperServer::KeeperServer(io::Loop& loop, Fd listener, KeptMachine& machine, ConsoleHub& console,
                           KeeperIdentity identity)
    : loop_(loop),
      listener_(std::move(listener)),
      machine_(machine),
      console_(console),
      identity_(std::move(identity)) {
    machine_.on_change([this] { tell_all(); });
    accepting_.start(accept_all());
}

io::Task<void> KeeperServer::end() {
    accepting_.cancel();
    static_cast<void>(co_await accepting_.join().result());
    console_.end();
    tell_all();
    auto joining = join_all();
    static_cast<void>(co_await io::within(loop_, farewell, std::move(joining)).result());
    machine_.on_change([] {});
}

// Who watches or reads the console ends by itself; others wait for requests that nobody serves.
io::Task<void> KeeperServer::join_all() {
    static_cast<void>(co_await serving_.join().result());
}

io::Task<void> KeeperServer::accept_all() {
    while (true) {
        auto socket = co_await loop_.accept(listener_.get()).result();
        if (socket) {
            if (serving_.size() < most_clients && may_command(*socket))
                serving_.start(serve(*std::move(socket)));
        } else if (socket.error().kind() == Kind::exhausted) {
            // Descriptors are given back by whoever has them, unseen from here.
            co_await loop_.sleep(without_descriptors);
        } else if (socket.error().os_error() != ECONNABORTED) {
            co_await std::move(socket);
        }
    }
}

// A client that goes away, or makes no sense, ends its own conversation alone.
io::Task<void> KeeperServer::serve(Fd socket) {
    auto same = co_await socket.duplicate();
    Client client{
        pool::LineChannel{loop_, std::move(socket), keeper::longest_request}, std::move(same), {}};
    const auto place = clients_.insert(clients_.end(), &client);
    static_cast<void>(co_await converse(client).result());
    clients_.erase(place);
}

io::Task<void> KeeperServer::converse(Client& client) {
    co_await client.channel.send(hello().text());
    while (true) {
        auto line = co_await client.channel.receive().result();
        if (line && !*line) co_return;
        auto request = line ? keeper::parse_request(**line) : Result<Json>{Failure{line.error()}};
        if (!request) {
            co_await client.channel.send(keeper::error_line(request.error()));
            co_return;
        }
        const std::string name{request->text_at({"request"})};
        if (name == "watch") co_return co_await watch(client);
        if (name == "console") co_return co_await give_console(client, history_in(*request));
        co_await answer(client, Request{name, *std::move(request)});
    }
}

io::Task<void> KeeperServer::answer(Client& client, Request request) {
    const auto result = co_await perform(client, std::move(request)).result();
    co_await client.channel.send(result ? Json::object({{"result", *result}}).text()
                                        : keeper::error_line(result.error()));
}

io::Task<Json> KeeperServer::perform(Client& client, Request request) {
    const auto& name = request.name;
    auto text = std::optional<std::string>{};
    if (name == "power_button") {
        machine_.press_power_button(co_await grace_in(request.fields));
    } else if (name == "stop") {
        machine_.force_off();
    } else if (name == "pause") {
        machine_.pause();
        co_await await_pause(client, true);
    } else if (name == "resume") {
        machine_.resume();
        co_await await_pause(client, false);
    } else if (name == "refresh_disks") {
        machine_.refresh_disks();
    } else if (name == "console_tail") {
        text = to_base64(console_.tail(history_in(request.fields)));
    } else if (name != "status") {
        co_await fail(Kind::unsupported, "this keeper knows no request {}", json::in_quotes(name));
    }
    auto result = keeper::to_json(machine_.status());
    if (text) result["text"] = *std::move(text);
    co_return result;
}

io::Task<void> KeeperServer::await_pause(Client& client, bool paused) {
    const auto wanted = paused ? MachineState::paused : MachineState::running;
    while (true) {
        client.changed.clear();
        const auto state = machine_.status().state;
        if (state == wanted) co_return;
        if (state == MachineState::ended) co_await fail(Kind::conflict, "the machine has ended");
        if (machine_.wants_pause() != paused)
            co_await fail(Kind::conflict, "another client asked for the contrary meanwhile");
        co_await client.changed.wait();
    }
}

io::Task<void> KeeperServer::watch(Client& client) {
    io::TaskGroup listening;
    listening.start(notice_end(client));
    auto outcome = Result<void>{};
    while (outcome && !client.gone) {
        client.changed.clear();
        const auto status = machine_.status();
        auto line = Json::object({{"status", keeper::to_json(status)}}).text();
        outcome = co_await client.channel.send(std::move(line)).result();
        if (!outcome || status.state == MachineState::ended) break;
        outcome = co_await client.changed.wait().result();
    }
    listening.cancel();
    static_cast<void>(co_await listening.join().result());  // its end was asked for
    co_await outcome;
}

// Who watches has nothing more to say: whatever comes is the end.
io::Task<void> KeeperServer::notice_end(Client& client) {
    std::array<std::byte, 1> any;
    const auto count = co_await loop_.recv(client.socket.get(), any, 0).result();
    if (!count && count.error().kind() == Kind::cancelled) co_await Failure{count.error()};
    client.gone = true;
    client.changed.set();
}

io::Task<void> KeeperServer::give_console(Client& client, ConsoleHistory history) {
    auto line = Json::object({{"result", keeper::to_json(machine_.status())}}).text();
    co_await client.channel.send(std::move(line));
    co_await console_.attach(std::move(client.socket), history);
}

void KeeperServer::tell_all() {
    for (auto place = clients_.begin(); place != clients_.end();) (*place++)->changed.set();
}

Json KeeperServer::hello() const {
    return Json::object({{"hello", keeper::hello},
                         {"oldest", keeper::oldest_version},
                         {"version", keeper::version},
                         {"product", SHEAF_VERSION},
                         {"machine", identity_.machine},
                         {"cookie", identity_.cookie},
                         {"boot", identity_.boot},
                         {"status", keeper::to_json(machine_.status())}});
}

}  // namespace sheaf::node
