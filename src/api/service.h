#pragma once

// Why: the API as a handler of HTTP: who asks, which document or verb a path and a method mean, and
// in which form the answer is wanted (docs/api.md).

#include "api/access.h"
#include "api/objects.h"
#include "api/request.h"
#include "api/service_metrics.h"
#include "http/exchange.h"
#include "io/loop.h"

namespace sheaf::api {

// Loop thread only. Whatever is passed outlives it.
class Service final : public http::Handler {
  public:
    struct Parts {
        io::Loop& loop;
        Objects& objects;
        Access& access;
        MetricsRegistry& registry;
        MachineActions* machines = nullptr;  // null: nothing runs here
    };
    explicit Service(const Parts& parts)
        : loop_(parts.loop),
          objects_(parts.objects),
          access_(parts.access),
          metrics_(parts.registry),
          machines_(parts.objects, parts.machines) {}

    io::Task<void> handle(http::Exchange& exchange) override;
    // Somebody of this host who may not even look.
    std::optional<http::Rejection> refusal_of(const http::Peer& peer) override;

  private:
    // What is known of a request, by and by.
    struct Asked {
        std::optional<User> user;
        std::string_view verb = "other";  // for the metrics
    };
    io::Task<void> answer(http::Exchange& exchange, Asked& asked);
    io::Task<void> send(http::Exchange& exchange, Answer answer);
    io::Task<void> send_text(http::Exchange& exchange, std::string text, std::string type);
    io::Task<void> send_document(http::Exchange& exchange, const Request& request,
                                 const User& user);
    io::Task<void> send_openapi(http::Exchange& exchange, const Request& request);
    io::Task<void> handle_call(http::Exchange& exchange, const Request& request);
    io::Task<void> serve_log(http::Exchange& exchange, const Request& request);
    io::Task<void> serve_console(http::Exchange& exchange, MachineCall call);
    io::Task<void> handle_objects(http::Exchange& exchange, Request request, const User& user);
    io::Task<Answer> list(const Request& request);
    io::Task<void> watch(http::Exchange& exchange, const Request& request);
    io::Task<Answer> write(const http::ReceivedRequest& received, Request request,
                           const User& user);
    io::Task<Answer> remove(const http::ReceivedRequest& received, const Request& request);
    io::Task<Answer> remove_all(const http::ReceivedRequest& received, const Request& request);

    io::Loop& loop_;
    Objects& objects_;
    Access& access_;
    ServiceMetrics metrics_;
    MachineVerbs machines_;
};

}  // namespace sheaf::api
