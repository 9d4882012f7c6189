#include <array>
#include <cstdio>

#include "base/bytes.h"
#include "cli/vm.h"
#include "http/websocket_client.h"
#include "io/task_group.h"
#include "node/console_host.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({namespace_option, socket_option});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which machine"}});
constexpr char escape = 0x1d;  // Ctrl-]

struct Session {
    http::WebSocketClient& socket;
    node::ConsoleHost& terminal;
    io::TaskGroup& both;
};

io::Task<void> show_all(Session session) {
    while (const auto bytes = co_await session.socket.receive())
        co_await session.terminal.show(as_bytes(*bytes));
}

// With what the guest prints ends what is typed to it.
io::Task<void> show(Session session) {
    const auto shown = co_await show_all(session).result();
    session.both.cancel();
    co_await shown;
}

// Of what is typed before the escape nothing is lost. Input that ends, as a pipe's does, leaves the
// guest's output on.
io::Task<void> type_all(Session session) {
    std::array<std::byte, 4096> buffer;
    while (true) {
        const auto count = co_await session.terminal.type(buffer);
        if (count == 0) co_return;
        const auto typed = as_text(std::span{buffer}.first(count));
        const auto end = session.terminal.interactive() ? typed.find(escape) : typed.npos;
        std::string bytes{typed.substr(0, end)};
        if (!bytes.empty()) co_await session.socket.send(std::move(bytes));
        if (end == typed.npos) continue;
        co_await session.socket.end();
        session.both.cancel();
        co_return;
    }
}

io::Task<void> type(Session session) {
    const auto typed = co_await type_all(session).result();
    if (!typed) session.both.cancel();
    co_await typed;
}

io::Task<void> carry(http::WebSocketClient& socket, node::ConsoleHost& terminal) {
    io::TaskGroup both;
    const Session session{socket, terminal, both};
    both.start(show(session));
    both.start(type(session));
    co_await both.join();
}

Result<void> console(const Arguments& arguments) {
    const auto& name = arguments.operand(0);
    const auto name_space = TRY(namespace_of(arguments));
    const auto client = TRY(ApiClient::of(arguments));
    auto& loop = client->loop();
    http::WebSocketClient socket{std::make_unique<io::SocketStream>(loop, TRY(client->connect()))};
    auto target = action_path(name_space, "virtualmachineinstances", name, "console");
    const auto answer =
        TRY(io::run(loop, socket.shake_hands(std::move(target), "plain.kubevirt.io")));
    if (answer.status != 101) return Failure{refusal_of(answer.status, answer.body)};
    const auto terminal = TRY(node::ConsoleHost::open("stdio", loop));
    if (terminal->interactive())
        std::fputs(fmt::format("The console of {}; Ctrl-] leaves it.\r\n", name).c_str(), stderr);
    return io::run(loop, carry(socket, *terminal));
}

int console_main(std::span<char*> arguments) {
    return main_of(vm_console_verb, arguments, console);
}

}  // namespace

constinit const Verb vm_console_verb = {
    .name = "vm console",
    .summary = "see what a machine prints, and type to it",
    .options = options,
    .details = "What it printed of late comes first. On a terminal, Ctrl-] leaves it running.",
    .example = "sheaf vm console web",
    .main = console_main,
    .operands = operands,
};

}  // namespace sheaf::cli
