#include <array>
#include <csignal>

#include "cli/nbd_service.h"
#include "cli/pool_verb.h"
#include "cli/stop_signal.h"
#include "cli/volume.h"
#include "cli/volume_nbd_replicated.h"
#include "storage/nbd/volume_exports.h"
#include "storage/pool/open_volume.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    nbd_socket_option,
    listen_option,
    {"readonly", "", "refuse to change anything"},
    {"node", "NAME", "of a replicated volume: what this host is called"},
    {"copy", "", "this pool's copy of a replicated volume, as it is, to be read"},
    pool_option,
    kv_option,
    tls_cert_option,
    tls_key_option,
    tls_ca_option,
    insecure_option,
});
constexpr auto operands = std::to_array<Operand>({{"NAME", "which volume"}});

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
    const auto listener = co_await listen_for_nbd(arguments);
    const auto& name = arguments.operand(0);
    nbd::VolumeExports exports{volume.engine(), name, arguments.has("readonly")};
    co_await volume.serve();
    NbdService service{exports, "volume " + name, signals};
    co_await serve_nbd(loop, listener, std::move(service));
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

Result<void> serve_local(const Arguments& arguments) {
    const auto pool = TRY(open_pool(arguments));
    auto held = TRY(pool->hold(pool::Shelf::volumes, arguments.operand(0), "volume nbd"));
    const auto loop = TRY(io::make_loop());
    const auto signals = TRY(open_stop_signals());
    return io::run(*loop, serve_volume(*loop, *pool, std::move(held), arguments, signals.get()));
}

Result<void> serve(const Arguments& arguments) {
    std::signal(SIGPIPE, SIG_IGN);
    if (arguments.has("copy")) return serve_copy(arguments);
    return arguments.has("kv") ? serve_replicated(arguments) : serve_local(arguments);
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
        "Whoever may open the socket may read and write: there is no login and no encryption.\n"
        "With --kv the volume is one that has copies on several hosts (volume create --nodes): "
        "this\n"
        "process is its engine until it ends, and uses the copy in --pool, where that is given,\n"
        "without a server. Requests wait while too few copies, or no store, can be reached.",
    .example =
        "sheaf volume nbd root --socket /run/root.sock\n"
        "  nbdcopy 'nbd+unix:///?socket=/run/root.sock' copy.raw\n"
        "  sheaf volume nbd web --kv sqlite:/srv/kv --node a --socket /run/web.sock",
    .main = nbd_main,
    .operands = operands,
};

}  // namespace sheaf::cli
