#pragma once

// Why: who this host is, and whom it believes, is three files: they are read once, and checked
// where a person sees the message. OpenSSL is named in src/io/tls_* alone.

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;
struct bio_st;
struct ssl_st;

namespace sheaf::io {

// Paths of PEM files.
struct TlsFiles {
    std::string certificate;  // and those that lead to the authority; empty: has none (a client)
    std::string key;
    std::string authority;  // whose certificates are believed; empty: those the host believes
};

enum class TlsRole { client, server };
// Whether who has no certificate is spoken with; one that the authority does not vouch for is
// refused in any case.
enum class TlsPeers { certified, any };

struct TlsCloser {
    void operator()(ssl_ctx_st* context) const;
    void operator()(ssl_st* connection) const;
};

// TLS 1.3 alone. A server, and a client where that is asked for, must have a certificate that the
// authority vouches for.
// Immutable: any thread.
class TlsContext {
  public:
    // Reads the files; blocks. Fails with the name of the one that does not do.
    static Result<TlsContext> create(TlsRole role, const TlsFiles& files,
                                     TlsPeers peers = TlsPeers::certified);

    TlsRole role() const { return role_; }
    ssl_ctx_st* get() const { return context_.get(); }

  private:
    TlsContext(TlsRole role, std::unique_ptr<ssl_ctx_st, TlsCloser> context)
        : role_(role), context_(std::move(context)) {}
    TlsRole role_;
    std::unique_ptr<ssl_ctx_st, TlsCloser> context_;
};

// What OpenSSL has noted last, for a message.
std::string tls_reason();

}  // namespace sheaf::io
