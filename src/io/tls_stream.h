#pragma once

// Why: TLS as a ByteStream over another one. OpenSSL does the cryptography between two buffers in
// memory; all waiting is the loop's.

#include <optional>
#include <string>
#include <vector>

#include "io/byte_stream.h"
#include "io/tls_context.h"

namespace sheaf::io {

// What a certificate calls its owner: the common name, and the organizations.
struct TlsSubject {
    std::string name;
    std::vector<std::string> organizations;
};

// The context outlives open() alone.
class TlsStream final : public ByteStream {
  public:
    // Does the handshake over a connection that is open. A client checks that the certificate is of
    // `peer`, a host name or an address. Fails with denied where either side does not believe the
    // other as far as this side learns of it; a server may tell a client only when that receives.
    static Task<std::unique_ptr<TlsStream>> open(const TlsContext& context,
                                                 std::unique_ptr<ByteStream> below,
                                                 std::string peer);

    Task<std::size_t> receive(std::span<std::byte> buffer) override;
    Task<void> send(std::span<const std::byte> bytes) override;
    bool is_broken() const override { return below_->is_broken(); }
    // Whether the other end's certificate, which was believed, is of this host name.
    bool peer_is(const std::string& name) const;
    // Who the other end is by its certificate, which was believed; none where it has none, or one
    // without a common name.
    std::optional<TlsSubject> peer_subject() const;

  private:
    TlsStream(std::unique_ptr<ByteStream> below, std::unique_ptr<ssl_st, TlsCloser> connection,
              std::string peer)
        : below_(std::move(below)), connection_(std::move(connection)), peer_(std::move(peer)) {}

    Task<void> shake_hands();
    Task<void> flush();
    Task<void> fill();
    Failure refused();

    std::unique_ptr<ByteStream> below_;
    std::unique_ptr<ssl_st, TlsCloser> connection_;
    std::string peer_;
    std::string outgoing_;  // encrypted, and being sent
    bool ended_ = false;    // nothing more comes from below
    bool trusted_ = false;  // the peer has sent something that was for us
};

}  // namespace sheaf::io
