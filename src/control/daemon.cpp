#include "control/daemon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "api/measured_kv.h"
#include "api/namespaces.h"
#include "control/api_server.h"
#include "control/controllers.h"
#include "control/listen_address.h"
#include "control/machine_actions.h"
#include "control/notify.h"
#include "control/watchdog.h"
#include "io/make_loop.h"
#include "node/keeper.h"
#include "store/open.h"

namespace sheaf::control {

namespace {

// A watch that was away for less than this goes on where it was.
constexpr std::chrono::minutes history{5};

// The directory, made where it is not there, and the daemon's lock in it for as long as it is open.
// The store has a lock of its own on the directory.
Result<Fd> open_state(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_os(errno, "state directory {}", path);
    const auto name = path + "/daemon.lock";
    auto lock = TRY(checked_fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600),
                               "state directory {}", path));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK)
        return fail(Kind::conflict, "state directory {}: another daemon has it", path);
    return fail_os(errno, "state directory {}: lock", path);
}

// Each client is a descriptor. Where more are refused there are fewer clients.
void allow_many_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

std::uint64_t random_number() {
    std::uint64_t number = 0;
    // Of so few bytes the kernel gives all, or does not return.
    static_cast<void>(::getrandom(&number, sizeof(number), 0));
    return number;
}

// What is older than two rounds is forgotten; who has slept longer lists anew.
io::Task<void> forget_history(io::Loop& loop, kv::Kv& store, const Logger& logger) {
    kv::Revision last = 0;
    while (true) {
        co_await loop.sleep(history);
        kv::ListRequest request{.prefix = "objects/", .after = {}, .limit = 1, .at = 0};
        const auto page = co_await store.list(std::move(request)).result();
        auto work = store.compact(last);
        auto compacted = last > 0 && page ? co_await std::move(work).result() : Result<void>{};
        if (page) last = page->revision;
        if (!compacted && compacted.error().kind() == Kind::cancelled) co_await compacted;
        if (!compacted)
            logger.warning("history is not forgotten", {{"reason", compacted.error().text()}});
    }
}

io::Task<void> stop_on_signal(io::Loop& loop, int signals, ApiServer& server) {
    signalfd_siginfo info{};
    while (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT && info.ssi_signo != SIGHUP)
        co_await loop.read_stream(signals, std::as_writable_bytes(std::span{&info, 1}));
    notify("STOPPING=1");
    server.stop();
}

struct Host {
    io::Loop& loop;
    const Logger& logger;
    ApiServer& server;
    std::string state_directory;
    int signals;
};

io::Task<void> serve_objects(Host host, kv::Kv& store, node::Supervisor& machines) {
    const HostClock clock;
    api::MeasuredKv measured{host.loop, store, host.server.metrics()};
    api::Objects objects{measured, clock, random_number};
    co_await objects.ensure_namespace("default");
    api::NamespaceSweeper sweeper{host.loop, objects, host.logger};
    Controllers controllers{{host.loop, host.logger, host.state_directory, random_number, machines},
                            objects};
    HostedMachineActions actions{host.loop, machines};
    co_await machines.adopt();
    io::TaskGroup serving;
    io::TaskGroup controlling;
    io::TaskGroup upkeep;
    serving.start(host.server.serve(host.loop, objects, &actions));
    controlling.start(controllers.run());
    upkeep.start(stop_on_signal(host.loop, host.signals, host.server));
    upkeep.start(sweeper.run());
    upkeep.start(keep_watchdog(host.loop));
    upkeep.start(forget_history(host.loop, store, host.logger));
    host.logger.info("ready");
    notify("READY=1");
    auto served = co_await serving.join().result();
    controllers.stop();
    static_cast<void>(co_await controlling.join().result());  // the next start goes on
    upkeep.cancel();
    static_cast<void>(co_await upkeep.join().result());  // its end was asked for
    co_await std::move(served);
}

io::Task<void> serve_machines(Host host, kv::Kv& store) {
    auto machines = co_await node::Supervisor::create(host.loop, host.state_directory + "/machines",
                                                      host.logger);
    auto served = co_await serve_objects(host, store, *machines).result();
    co_await machines->stop();
    co_await std::move(served);
}

io::Task<void> serve(Host host) {
    const kv::StoreLocation location{"sqlite:" + host.state_directory + "/objects", {}};
    const auto store = co_await kv::open_store(host.loop, location);
    auto served = co_await serve_machines(host, *store).result();
    auto closed = co_await store->shut_down().result();
    co_await std::move(served);
    co_await std::move(closed);
}

}  // namespace

Result<void> prepare_state(const DaemonOptions& options) {
    const auto state = TRY(open_state(options.state_directory));
    if (options.listen.empty()) return {};
    const auto wanted = TRY(parse_listen_address(options.listen));
    const HostClock clock;
    TRY(api::Pki{options.state_directory}.renew(api::hosts_of(wanted.host), clock));
    return {};
}

Result<void> run_daemon(const DaemonOptions& options, const Logger& logger) {
    const auto signals = TRY(node::open_signals());
    std::signal(SIGPIPE, SIG_IGN);
    allow_many_descriptors();
    const auto state = TRY(open_state(options.state_directory));
    const auto loop = TRY(io::make_loop());
    const HostClock clock;
    ApiAddresses addresses{options.state_directory, options.socket, options.listen};
    const auto server = TRY(ApiServer::create(std::move(addresses), clock, logger));
    const Host host{*loop, logger, *server, options.state_directory, signals.get()};
    return io::run(*loop, serve(host));
}

}  // namespace sheaf::control
