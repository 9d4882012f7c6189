#include "io/tls_context.h"

#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "io/openssl.h"

namespace sheaf::io {

namespace {

// The only protocol that is spoken over it; servers choose by it.
constexpr unsigned char protocols[] = "\x08http/1.1";

Result<void> check_readable(const std::string& path, std::string_view what) {
    if (::access(path.c_str(), R_OK) != 0) return fail_os(errno, "{} {}", what, path);
    return {};
}

Failure refused(const std::string& path, std::string_view what) {
    return fail(Kind::invalid, "{} {}: {}", what, path, tls_reason());
}

Result<void> use_identity(SSL_CTX* context, const TlsFiles& files) {
    TRY(check_readable(files.certificate, "certificate"));
    if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
        return refused(files.certificate, "certificate");
    TRY(check_readable(files.key, "key"));
    if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
        return refused(files.key, "key");
    if (SSL_CTX_check_private_key(context) != 1)
        return fail(Kind::invalid, "key {}: is not that of certificate {}", files.key,
                    files.certificate);
    return {};
}

Result<void> use_authority(SSL_CTX* context, const std::string& path) {
    if (path.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1)
            return fail(Kind::io, "the host's authorities: {}", tls_reason());
        return {};
    }
    TRY(check_readable(path, "authority"));
    if (SSL_CTX_load_verify_locations(context, path.c_str(), nullptr) != 1)
        return refused(path, "authority");
    return {};
}

}  // namespace

void TlsCloser::operator()(ssl_ctx_st* context) const {
    SSL_CTX_free(context);
}

void TlsCloser::operator()(ssl_st* connection) const {
    SSL_free(connection);
}

Result<TlsContext> TlsContext::create(TlsRole role, const TlsFiles& files, TlsPeers peers) {
    TRY(load_openssl());
    const auto* method = role == TlsRole::client ? TLS_client_method() : TLS_server_method();
    std::unique_ptr<SSL_CTX, TlsCloser> context{SSL_CTX_new(method)};
    if (!context) return fail(Kind::exhausted, "TLS: {}", tls_reason());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
    const auto needed = peers == TlsPeers::certified ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | needed, nullptr);
    if (role == TlsRole::client)
        SSL_CTX_set_alpn_protos(context.get(), protocols, sizeof(protocols) - 1);
    // Sessions are not resumed: a ticket would be one more thing that lets somebody in.
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    if (!files.certificate.empty() || role == TlsRole::server)
        TRY(use_identity(context.get(), files));
    TRY(use_authority(context.get(), files.authority));
    return TlsContext{role, std::move(context)};
}

std::string tls_reason() {
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    if (code == 0) return "for no reason it tells";
    const auto* reason = ERR_reason_error_string(code);
    return reason ? reason : fmt::format("error {:x}", code);
}

}  // namespace sheaf::io
