#include "control/api_server.h"

#include <sys/stat.h>
#include <unistd.h>

#include "api/small_file.h"
#include "control/listen_address.h"
#include "node/unix_socket.h"

namespace sheaf::control {

namespace {

constexpr int backlog = 512;
constexpr std::chrono::hours between_renewals{24};

}  // namespace

ApiServer::ApiServer(ApiAddresses addresses, const WallClock& clock, const Logger& logger)
    : addresses_(std::move(addresses)),
      clock_(clock),
      logger_(logger),
      pki_(addresses_.state_directory),
      access_(api::host_groups(::geteuid()), addresses_.state_directory + "/access.json", logger) {}

ApiServer::~ApiServer() {
    if (local_) ::unlink(addresses_.socket.c_str());
}

Result<std::unique_ptr<ApiServer>> ApiServer::create(ApiAddresses addresses, const WallClock& clock,
                                                     const Logger& logger) {
    auto server = std::unique_ptr<ApiServer>{new ApiServer{std::move(addresses), clock, logger}};
    TRY(server->access_.load());
    TRY(server->listen_local());
    TRY(server->listen_remote());
    return server;
}

// Who may connect is looked at by the daemon; the mode only keeps out who has no chance. It is made
// for the owner alone and then widened.
Result<void> ApiServer::listen_local() {
    const auto& path = addresses_.socket;
    local_ = TRY(node::listen_anew_at("socket", path, backlog, node::SocketMode::owner));
    const auto host = api::host_groups(::geteuid());
    if (!host.masters && !host.readers) return {};
    const auto both = host.masters && host.readers;
    const auto group = host.masters ? *host.masters : *host.readers;
    if (!both && ::chown(path.c_str(), static_cast<uid_t>(-1), group) != 0) {
        logger_.warning("the socket is for its owner alone", {{"path", path}});
        return {};
    }
    TRY(checked(::chmod(path.c_str(), both ? 0666 : 0660), "socket {}", path));
    return {};
}

Result<void> ApiServer::listen_remote() {
    if (addresses_.listen.empty()) return {};
    const auto wanted = TRY(parse_listen_address(addresses_.listen));
    hosts_ = api::hosts_of(wanted.host);
    TRY(renew_certificates());
    remote_ = TRY(listen_at(wanted, backlog));
    const auto address = TRY(address_of(remote_));
    // For who makes a kubeconfig.
    TRY(api::write_small_file(addresses_.state_directory + "/pki/address", address + "\n", 0644));
    logger_.info("listening", {{"address", address}});
    return {};
}

Result<bool> ApiServer::renew_certificates() {
    const auto made = TRY(pki_.renew(hosts_, clock_));
    if (tls_ && !made) return false;
    auto context =
        TRY(io::TlsContext::create(io::TlsRole::server, pki_.of_server(), io::TlsPeers::any));
    tls_ = std::make_unique<io::TlsContext>(std::move(context));
    return true;
}

io::Task<void> ApiServer::keep_certificates(io::Loop& loop, http::Server& server) {
    while (true) {
        co_await loop.sleep(between_renewals);
        const auto renewed = renew_certificates();
        if (!renewed)
            logger_.error("certificates are not renewed", {{"reason", renewed.error().text()}});
        server.secure_by(*tls_);
    }
}

Result<MetricsRegistry::Registration> ApiServer::show_connections(std::string way,
                                                                  const http::Server& server) {
    return metrics_.add({"sheaf_api_connections", "Clients that are connected.", {{"way", way}}},
                        server.connections());
}

// Where one of them ends, both do.
io::Task<void> ApiServer::serve_at(http::Server& server, int listener) {
    auto served = co_await server.serve(listener).result();
    stop();
    co_await std::move(served);
}

void ApiServer::stop() {
    for (auto* server : servers_) server->stop();
}

io::Task<void> ApiServer::serve(io::Loop& loop, api::Objects& objects,
                                api::MachineActions* machines) {
    api::Service service{{loop, objects, access_, metrics_, machines}};
    http::Server local{loop, service, clock_, logger_, {}};
    http::Server remote{loop, service, clock_, logger_, {}};
    servers_ = {&local, &remote};
    const auto known_local = co_await show_connections("socket", local);
    const auto known_remote = co_await show_connections("tls", remote);
    io::TaskGroup serving;
    io::TaskGroup upkeep;
    serving.start(serve_at(local, local_.get()));
    if (remote_) {
        remote.secure_by(*tls_);
        serving.start(serve_at(remote, remote_.get()));
        upkeep.start(keep_certificates(loop, remote));
    }
    auto served = co_await serving.join().result();
    servers_.clear();
    upkeep.cancel();
    static_cast<void>(co_await upkeep.join().result());  // its end was asked for
    co_await std::move(served);
}

}  // namespace sheaf::control
