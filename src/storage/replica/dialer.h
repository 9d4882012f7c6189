#pragma once

// Why: engines and servers reach each other over TLS, or over ways that nobody else has a hand on;
// what is allowed is decided here, for both ends.

#include <memory>
#include <optional>

#include "io/byte_stream.h"
#include "io/side_thread.h"
#include "io/tls_context.h"
#include "storage/replica/address.h"

namespace sheaf::replica {

// What a person said of it.
enum class Plain : std::uint8_t { never, on_loopback };

// Whether what goes over this way is encrypted. Fails with denied where it would have to be and
// there is no certificate; a unix socket needs none. Any thread.
Result<bool> uses_tls(const Address& address, bool has_certificate, Plain plain);

// Loop thread only; loop, resolver and context outlive it.
class Dialer {
  public:
    Dialer(io::Loop& loop, io::SideThread& resolver, const io::TlsContext* tls, Plain plain)
        : loop_(loop), resolver_(resolver), tls_(tls), plain_(plain) {}

    // A connection to the server of that node's copies; over TLS its certificate is of the node.
    // Bounding the time is the caller's.
    io::Task<std::unique_ptr<io::ByteStream>> open(Address address, std::string node);
    io::Loop& loop() { return loop_; }

  private:
    io::Task<Fd> connect(Address address);

    io::Loop& loop_;
    io::SideThread& resolver_;
    const io::TlsContext* tls_;
    Plain plain_;
};

}  // namespace sheaf::replica
