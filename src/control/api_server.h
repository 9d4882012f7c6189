#pragma once

// Why: the API is reached in two ways, by a unix socket and by TLS; both begin before anything is
// served, so that a mistake in either is known at the start, and end together.

#include "api/access.h"
#include "api/pki.h"
#include "api/service.h"
#include "base/metrics_registry.h"
#include "http/server.h"

namespace sheaf::control {

struct ApiAddresses {
    std::string state_directory;  // there; keeps the certificates and "access.json"
    std::string socket;           // path
    std::string listen;           // as parse_listen_address() takes it; empty: no TLS
};

// Loop thread only. What is passed outlives it.
class ApiServer {
  public:
    // Listens, and makes the certificates that are missing; blocks.
    static Result<std::unique_ptr<ApiServer>> create(ApiAddresses addresses, const WallClock& clock,
                                                     const Logger& logger);
    ApiServer(const ApiServer&) = delete;
    ApiServer& operator=(const ApiServer&) = delete;
    ~ApiServer();

    // Until stop() is called and who is being answered has heard it. Once. Without `machines` none
    // runs here.
    io::Task<void> serve(io::Loop& loop, api::Objects& objects, api::MachineActions* machines);
    void stop();

    // What /metrics shows, beside what is of the process itself.
    MetricsRegistry& metrics() { return metrics_; }

  private:
    ApiServer(ApiAddresses addresses, const WallClock& clock, const Logger& logger);
    Result<void> listen_local();
    Result<void> listen_remote();
    io::Task<void> serve_at(http::Server& server, int listener);
    io::Task<void> keep_certificates(io::Loop& loop, http::Server& server);
    Result<bool> renew_certificates();
    Result<MetricsRegistry::Registration> show_connections(std::string way,
                                                           const http::Server& server);

    ApiAddresses addresses_;
    const WallClock& clock_;
    const Logger& logger_;
    api::Pki pki_;
    api::Access access_;
    MetricsRegistry metrics_;
    std::vector<std::string> hosts_;  // that the certificate is for
    Fd local_;
    Fd remote_;
    std::unique_ptr<io::TlsContext> tls_;
    std::vector<http::Server*> servers_;  // while they serve
};

}  // namespace sheaf::control
