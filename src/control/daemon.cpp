#include "control/daemon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "api/namespaces.h"
#include "api/service.h"
#include "base/defer.h"
#include "control/notify.h"
#include "control/watchdog.h"
#include "http/server.h"
#include "io/make_loop.h"
#include "node/keeper.h"
#include "node/unix_socket.h"
#include "store/open.h"

namespace sheaf::control {

namespace {

constexpr int backlog = 512;
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

io::Task<void> stop_on_signal(io::Loop& loop, int signals, http::Server& server) {
    signalfd_siginfo info{};
    while (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT && info.ssi_signo != SIGHUP)
        co_await loop.read_stream(signals, std::as_writable_bytes(std::span{&info, 1}));
    notify("STOPPING=1");
    server.stop();
}

struct Host {
    io::Loop& loop;
    const Logger& logger;
    int listener;
    int signals;
};

io::Task<void> serve_objects(Host host, kv::Kv& store) {
    const HostClock clock;
    api::Objects objects{store, clock, random_number};
    co_await objects.ensure_namespace("default");
    api::Service service{host.loop, objects, ::geteuid()};
    api::NamespaceSweeper sweeper{host.loop, objects, host.logger};
    http::Server server{host.loop, service, clock, host.logger, {}};
    io::TaskGroup serving;
    io::TaskGroup upkeep;
    serving.start(server.serve(host.listener));
    upkeep.start(stop_on_signal(host.loop, host.signals, server));
    upkeep.start(sweeper.run());
    upkeep.start(keep_watchdog(host.loop));
    upkeep.start(forget_history(host.loop, store, host.logger));
    host.logger.info("ready");
    notify("READY=1");
    auto served = co_await serving.join().result();
    upkeep.cancel();
    static_cast<void>(co_await upkeep.join().result());  // its end was asked for
    co_await std::move(served);
}

io::Task<void> serve(Host host, std::string state_directory) {
    const kv::StoreLocation location{"sqlite:" + state_directory + "/objects", {}};
    const auto store = co_await kv::open_store(host.loop, location);
    auto served = co_await serve_objects(host, *store).result();
    auto closed = co_await store->shut_down().result();
    co_await std::move(served);
    co_await std::move(closed);
}

}  // namespace

Result<void> run_daemon(const DaemonOptions& options, const Logger& logger) {
    const auto signals = TRY(node::open_signals());
    std::signal(SIGPIPE, SIG_IGN);
    allow_many_descriptors();
    const auto state = TRY(open_state(options.state_directory));
    const auto loop = TRY(io::make_loop());
    const auto listener =
        TRY(node::listen_anew_at("socket", options.socket, backlog, node::SocketMode::owner));
    const Defer gone{[&] { ::unlink(options.socket.c_str()); }};
    const Host host{*loop, logger, listener.get(), signals.get()};
    return io::run(*loop, serve(host, options.state_directory));
}

}  // namespace sheaf::control
