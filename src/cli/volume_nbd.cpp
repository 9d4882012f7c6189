#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "cli/pool_verb.h"
#include "cli/volume.h"
#include "node/keeper.h"
#include "storage/nbd/listener.h"
#include "storage/nbd/server.h"
#include "storage/nbd/volume_exports.h"
#include "storage/pool/open_volume.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"socket", "PATH", "listen at a unix socket that is made there"},
    {"listen", "ADDRESS:PORT", "listen at a loopback address, for example 127.0.0.1:10809"},
    {"readonly", "", "refuse to change anything"},
    pool_option,
});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which volume"}});

Result<nbd::Listener> listen(const Arguments& arguments) {
    const auto path = TRY(arguments.one("socket"));
    const auto address = TRY(arguments.one("listen"));
    if (path.empty() == address.empty())
        return fail(Kind::invalid, "one of --socket and --listen is needed");
    return path.empty() ? nbd::Listener::at_address(address) : nbd::Listener::at_path(path);
}

io::Task<void> stop_on_signal(io::Loop& loop, int signals, nbd::Server& server) {
    signalfd_siginfo info{};
    while (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT && info.ssi_signo != SIGHUP)
        co_await loop.read_stream(signals, std::as_writable_bytes(std::span{&info, 1}));
    server.stop();
}

io::Task<void> serve_until_signal(io::Loop& loop, nbd::Exports& exports, int listener,
                                  int signals) {
    const Logger logger{STDERR_FILENO, LogLevel::info};
    nbd::Server server{loop, exports, logger};
    io::TaskGroup serving;
    io::TaskGroup waiting;
    serving.start(server.serve(listener));
    waiting.start(stop_on_signal(loop, signals, server));
    auto served = co_await serving.join().result();
    waiting.cancel();
    static_cast<void>(co_await waiting.join().result());  // its end was asked for
    co_await std::move(served);
}

// Clients have seen the content, and what they remember of it may be written back.
class NbdClients final : public pool::VolumeUser {
  public:
    Result<void> may_revert() const override {
        return fail(Kind::conflict, "it is served by NBD; end that first");
    }
    // Who connects from now on sees it.
    void resized() override {}
};

io::Task<void> serve_clients(io::Loop& loop, pool::OpenVolume& volume, const Arguments& arguments,
                             int signals) {
    const auto listener = co_await listen(arguments);
    nbd::VolumeExports exports{volume.engine(), arguments.operand(0), arguments.has("readonly")};
    co_await volume.serve();
    const auto& name = arguments.operand(0);
    co_await print(fmt::format("serving volume {} at {}\n", name, listener.uri()));
    co_await serve_until_signal(loop, exports, listener.descriptor(), signals);
}

// The volume is whole before anybody can connect, and closed after the last one has gone.
io::Task<void> serve_volume(io::Loop& loop, const pool::Pool& pool, pool::Holding held,
                            const Arguments& arguments, int signals) {
    NbdClients clients;
    const auto volume = co_await pool::OpenVolume::open(loop, pool, std::move(held), clients);
    auto served = co_await serve_clients(loop, *volume, arguments, signals).result();
    auto closed = co_await volume->shut_down().result();
    co_await std::move(served);
    co_await std::move(closed);
}

Result<void> serve(const Arguments& arguments) {
    const auto pool = TRY(open_pool(arguments));
    auto held = TRY(pool->hold(pool::Shelf::volumes, arguments.operand(0), "volume nbd"));
    const auto loop = TRY(io::make_loop());
    const auto signals = TRY(node::open_signals());
    std::signal(SIGPIPE, SIG_IGN);
    return io::run(*loop, serve_volume(*loop, *pool, std::move(held), arguments, signals.get()));
}

int nbd_main(std::span<char*> arguments) {
    return main_of(volume_nbd_verb, arguments, serve);
}

}  // namespace

constinit const Verb volume_nbd_verb = {
    .name = "volume nbd",
    .summary = "serve a volume to programs that speak NBD",
    .options = options,
    .details =
        "Serves until SIGTERM or SIGINT; then what is in flight ends and the volume is closed.\n"
        "Whoever may open the socket may read and write: there is no login and no encryption.",
    .example =
        "sheaf volume nbd root --socket /run/root.sock\n"
        "  nbdcopy 'nbd+unix:///?socket=/run/root.sock' copy.raw",
    .main = nbd_main,
    .operands = operands,
};

}  // namespace sheaf::cli
