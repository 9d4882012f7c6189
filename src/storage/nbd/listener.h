#pragma once

// Why: who can reach a disk is decided where its server listens: a socket file that only its owner
// may open, or a port that only this machine can reach.

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace sheaf::nbd {

class Listener {
  public:
    // Binds a socket file, mode 0600. One that nobody listens at any more is replaced; one in use
    // is a conflict, any other file stays and is a failure.
    static Result<Listener> at_path(const std::string& path);
    // "127.0.0.1:10809" or "[::1]:10809"; fails with invalid where that is not loopback. Port 0
    // takes one that is free.
    static Result<Listener> at_address(const std::string& address);

    Listener(Listener&& other) noexcept
        : socket_(std::move(other.socket_)),
          path_(std::exchange(other.path_, {})),
          uri_(std::move(other.uri_)) {}
    Listener& operator=(Listener&&) = delete;
    ~Listener();  // removes the socket file

    int descriptor() const { return socket_.get(); }
    // How a client is told to reach the default export.
    const std::string& uri() const { return uri_; }

  private:
    Listener(Fd socket, std::string path, std::string uri)
        : socket_(std::move(socket)), path_(std::move(path)), uri_(std::move(uri)) {}

    Fd socket_;
    std::string path_;
    std::string uri_;
};

}  // namespace sheaf::nbd
