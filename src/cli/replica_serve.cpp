#include <unistd.h>

#include <array>
#include <csignal>

#include "cli/cluster_access.h"
#include "cli/pool_verb.h"
#include "cli/replica.h"
#include "cli/stop_signal.h"
#include "io/listener.h"
#include "storage/replica/acceptor.h"
#include "storage/replica/messages.h"
#include "storage/replica/pool_copies.h"

namespace sheaf::cli {

namespace {

constexpr auto options = std::to_array<Option>({
    {"node", "NAME", "what this host is called"},
    {"listen", "ADDRESS:PORT|unix:PATH", "where engines connect"},
    kv_option,
    tls_cert_option,
    tls_key_option,
    tls_ca_option,
    insecure_option,
    pool_option,
});

struct Serving {
    std::string node;
    replica::Address address;
    ClusterOptions cluster;
    bool encrypted = false;
};

Result<Serving> parse(const Arguments& arguments) {
    Serving wanted;
    wanted.node = TRY(arguments.one("node"));
    if (wanted.node.empty()) return fail(Kind::invalid, "--node is missing");
    TRY_WITHIN(replica::check_node_name(wanted.node), "--node");
    const auto listen = TRY(arguments.one("listen"));
    if (listen.empty()) return fail(Kind::invalid, "--listen is missing");
    wanted.address = TRY_WITHIN(replica::parse_address(listen), "--listen");
    wanted.cluster = TRY(parse_cluster_options(arguments));
    wanted.encrypted = TRY_WITHIN(
        replica::uses_tls(wanted.address, wanted.cluster.has_certificate(), wanted.cluster.plain),
        "--listen");
    return wanted;
}

Result<io::Listener> listen(const replica::Address& address) {
    return address.is_unix() ? io::Listener::at_path(address.path)
                             : io::Listener::at_port(address.port);
}

// Where it is reached in fact: the port may have been chosen by the system.
std::string reached_at(replica::Address address, const io::Listener& listener) {
    if (!address.is_unix()) address.port.port = fmt::format("{}", listener.port());
    return address.text();
}

io::Task<void> stop_on_signal(io::Loop& loop, int signals, replica::Acceptor& acceptor) {
    co_await wait_for_signal(loop, signals);
    acceptor.stop();
}

// Connections end before the copies that they speak of.
io::Task<void> accept_until_signal(io::Loop& loop, replica::Acceptor& acceptor,
                                   replica::ReplicaServer& server, int listener, int signals) {
    io::TaskGroup waiting;
    waiting.start(stop_on_signal(loop, signals, acceptor));
    auto served = co_await acceptor.serve(listener).result();
    waiting.cancel();
    static_cast<void>(co_await waiting.join().result());  // its end was asked for
    co_await server.shut_down();
    co_await std::move(served);
}

struct Host {
    io::Loop& loop;
    const pool::Pool& pool;
    const io::TlsContext* tls;
    int signals;
};

io::Task<void> serve_copies(ClusterAccess& access, const Serving& wanted, Host host) {
    const Logger logger{STDERR_FILENO, LogLevel::info};
    const auto listener = co_await listen(wanted.address);
    replica::RecordedAuthority authority{access.store()};
    replica::PoolCopies copies{{.loop = host.loop,
                                .pool = host.pool,
                                .side = access.side(),
                                .store = access.store(),
                                .authority = authority,
                                .logger = logger,
                                .node = wanted.node}};
    const replica::ServerSession::Terms terms{copies, authority};
    replica::ReplicaServer server{host.loop, terms, logger};
    replica::Acceptor acceptor{host.loop, server, host.tls, logger};
    co_await print(fmt::format("serving the copies of node {} at {}\n", wanted.node,
                               reached_at(wanted.address, listener)));
    auto served = co_await accept_until_signal(host.loop, acceptor, server, listener.descriptor(),
                                               host.signals)
                      .result();
    co_await copies.shut_down();
    co_await std::move(served);
}

Result<void> serve(const Arguments& arguments) {
    const auto wanted = TRY(parse(arguments));
    std::optional<io::TlsContext> tls;
    if (wanted.encrypted)
        tls = TRY(io::TlsContext::create(io::TlsRole::server, wanted.cluster.store.tls));
    const auto pool = TRY(pool::Pool::open_or_make(TRY(pool_path(arguments))));
    const auto loop = TRY(io::make_loop());
    const auto signals = TRY(open_stop_signals());
    std::signal(SIGPIPE, SIG_IGN);
    const Host host{*loop, *pool, tls ? &*tls : nullptr, signals.get()};
    auto work = [&wanted, host](ClusterAccess& access) {
        return serve_copies(access, wanted, host);
    };
    return io::run(*loop, with_cluster(*loop, wanted.cluster, std::move(work)));
}

int serve_main(std::span<char*> arguments) {
    return main_of(replica_serve_verb, arguments, serve);
}

}  // namespace

constinit const Verb replica_serve_verb = {
    .name = "replica serve",
    .summary = "let the engines of replicated volumes use the copies in this host's pool",
    .options = options,
    .details =
        "Serves until SIGTERM or SIGINT; then what is in flight ends and the copies are closed. A\n"
        "copy is made and removed by volume create and volume delete. Hosts know each other by\n"
        "certificates: an engine's is of the node it runs on. Without TLS only a unix socket is\n"
        "served, and with --insecure a loopback address. The pool is made where there is none.",
    .example =
        "sheaf replica serve --node a --pool /srv/a --listen 10.0.0.1:7000 --tls-cert a.pem\n"
        "      --tls-key a.key --tls-ca ca.pem --kv etcd:https://10.0.0.9:2379\n"
        "  sheaf replica serve --node a --pool /srv/a --listen unix:/run/a.sock --kv "
        "sqlite:/srv/kv",
    .main = serve_main,
};

}  // namespace sheaf::cli
