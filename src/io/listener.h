#pragma once

// Why: who can reach a server is decided where it listens: a socket file that only its owner may
// open, or a port of an address of this host.

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "io/dial.h"

namespace sheaf::io {

// A listening stream socket. Any thread.
class Listener {
  public:
    // Binds a socket file, mode 0600. One that nobody listens at any more is replaced; one in use
    // is a conflict, any other file stays and is a failure. Blocks for up to two seconds where the
    // kernel has not yet let go of it after its server was killed.
    static Result<Listener> at_path(const std::string& path);
    // Of a numeric address (invalid where it is none). Port 0 takes one that is free. What is
    // accepted there waits for nothing before it sends, and is given up where the peer has been
    // silent for ten seconds.
    static Result<Listener> at_port(const HostPort& where);

    Listener(Listener&& other) noexcept
        : socket_(std::move(other.socket_)),
          path_(std::exchange(other.path_, {})),
          port_(other.port_) {}
    Listener& operator=(Listener&&) = delete;
    ~Listener();  // removes the socket file

    int descriptor() const { return socket_.get(); }
    std::uint16_t port() const { return port_; }  // in use; 0 of a socket file

  private:
    Listener(Fd socket, std::string path, std::uint16_t port)
        : socket_(std::move(socket)), path_(std::move(path)), port_(port) {}

    Fd socket_;
    std::string path_;
    std::uint16_t port_;
};

}  // namespace sheaf::io
