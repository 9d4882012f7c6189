#pragma once

// Why: who can reach a disk is decided where its server listens: a socket file that only its owner
// may open, or a port that only this machine can reach.

#include <string>

#include "io/listener.h"

namespace sheaf::nbd {

class Listener {
  public:
    // Binds a socket file, mode 0600. One that nobody listens at any more is replaced; one in use
    // is a conflict, any other file stays and is a failure.
    static Result<Listener> at_path(const std::string& path);
    // "127.0.0.1:10809" or "[::1]:10809"; fails with invalid where that is not loopback. Port 0
    // takes one that is free.
    static Result<Listener> at_address(const std::string& address);

    int descriptor() const { return listener_.descriptor(); }
    // How a client is told to reach the default export.
    const std::string& uri() const { return uri_; }

  private:
    Listener(io::Listener listener, std::string uri)
        : listener_(std::move(listener)), uri_(std::move(uri)) {}

    io::Listener listener_;
    std::string uri_;
};

}  // namespace sheaf::nbd
