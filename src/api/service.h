#pragma once

// Why: the API as a handler of HTTP: which document or verb a path and a method mean, and in which
// form the answer is wanted (docs/api.md).

#include <sys/types.h>

#include "api/objects.h"
#include "api/request.h"
#include "base/log.h"
#include "http/exchange.h"
#include "io/loop.h"

namespace sheaf::api {

// Loop thread only. Whatever is passed outlives it.
class Service final : public http::Handler {
  public:
    // `owner` may do everything, beside root; whoever else is at the other end of a unix socket
    // nothing.
    Service(io::Loop& loop, Objects& objects, uid_t owner)
        : loop_(loop), objects_(objects), owner_(owner) {}

    io::Task<void> handle(http::Exchange& exchange) override;

  private:
    io::Task<void> send(http::Exchange& exchange, Answer answer);
    io::Task<void> send_openapi(http::Exchange& exchange, const Request& request);
    io::Task<void> handle_objects(http::Exchange& exchange, Request request);
    io::Task<Answer> list(const Request& request);
    io::Task<void> watch(http::Exchange& exchange, const Request& request);
    io::Task<Answer> write(const http::ReceivedRequest& received, Request request);
    io::Task<Answer> remove(const http::ReceivedRequest& received, const Request& request);

    io::Loop& loop_;
    Objects& objects_;
    uid_t owner_;
};

}  // namespace sheaf::api
