#include "io/tls_stream.h"

#include <arpa/inet.h>

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"

namespace sheaf::io {

namespace {

constexpr std::size_t record = 16384;  // bytes of the largest one

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

bool expect_peer(SSL* connection, const std::string& host) {
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
    return SSL_set_tlsext_host_name(connection, host.c_str()) == 1 &&
           SSL_set1_host(connection, host.c_str()) == 1;
}

// The values of one part of a name, as UTF-8.
std::vector<std::string> texts_of(X509_NAME* name, int part) {
    std::vector<std::string> texts;
    for (auto place = X509_NAME_get_index_by_NID(name, part, -1); place >= 0;
         place = X509_NAME_get_index_by_NID(name, part, place)) {
        unsigned char* text = nullptr;
        const auto* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place));
        const auto length = ASN1_STRING_to_UTF8(&text, value);
        if (length < 0) continue;
        texts.emplace_back(text, text + length);
        OPENSSL_free(text);
    }
    return texts;
}

}  // namespace

Task<std::unique_ptr<TlsStream>> TlsStream::open(const TlsContext& context,
                                                 std::unique_ptr<ByteStream> below,
                                                 std::string peer) {
    std::unique_ptr<SSL, TlsCloser> connection{SSL_new(context.get())};
    auto* incoming = BIO_new(BIO_s_mem());
    auto* outgoing = BIO_new(BIO_s_mem());
    if (!connection || !incoming || !outgoing) co_await fail(Kind::exhausted, "TLS: no memory");
    SSL_set_bio(connection.get(), incoming, outgoing);
    if (context.role() == TlsRole::client) {
        SSL_set_connect_state(connection.get());
        if (!expect_peer(connection.get(), peer))
            co_await fail(Kind::invalid, "TLS with {}: cannot be the name of a peer", peer);
    } else {
        SSL_set_accept_state(connection.get());
    }
    auto stream = std::unique_ptr<TlsStream>{
        new TlsStream{std::move(below), std::move(connection), std::move(peer)}};
    co_await stream->shake_hands();
    co_return stream;
}

Task<void> TlsStream::shake_hands() {
    while (true) {
        ERR_clear_error();
        const auto code = SSL_do_handshake(connection_.get());
        const auto why = SSL_get_error(connection_.get(), code);
        auto failed = refused();
        // What the other side is told of the failure is sent too.
        co_await flush();
        if (code == 1) co_return;
        if (why != SSL_ERROR_WANT_READ) co_await std::move(failed);
        if (ended_)
            co_await fail(Kind::unavailable, "TLS with {}: closed during the handshake", peer_);
        co_await fill();
    }
}

// Of the last call to OpenSSL. Whoever has not yet been believed is told so by an alert.
Failure TlsStream::refused() {
    const auto verified = SSL_get_verify_result(connection_.get());
    if (verified != X509_V_OK)
        return fail(Kind::denied, "TLS with {}: its certificate: {}", peer_,
                    X509_verify_cert_error_string(verified));
    const auto kind = trusted_ ? Kind::io : Kind::denied;
    return fail(kind, "TLS with {}: {}", peer_, tls_reason());
}

Task<void> TlsStream::flush() {
    auto* made = SSL_get_wbio(connection_.get());
    const auto size = BIO_ctrl_pending(made);
    if (size == 0) co_return;
    outgoing_.resize(size);
    BIO_read(made, outgoing_.data(), static_cast<int>(size));
    co_await below_->send(as_bytes(outgoing_));
}

Task<void> TlsStream::fill() {
    std::array<std::byte, record> buffer;
    const auto count = co_await below_->receive(buffer);
    ended_ = count == 0;
    BIO_write(SSL_get_rbio(connection_.get()), buffer.data(), static_cast<int>(count));
}

Task<std::size_t> TlsStream::receive(std::span<std::byte> buffer) {
    while (true) {
        ERR_clear_error();
        std::size_t count = 0;
        const auto code = SSL_read_ex(connection_.get(), buffer.data(), buffer.size(), &count);
        if (code == 1) {
            trusted_ = true;
            co_return count;
        }
        const auto why = SSL_get_error(connection_.get(), code);
        if (why == SSL_ERROR_ZERO_RETURN) co_return 0;
        if (why != SSL_ERROR_WANT_READ) co_await refused();
        if (ended_)
            co_await fail(Kind::unavailable, "TLS with {}: closed without saying so", peer_);
        co_await fill();
    }
}

Task<void> TlsStream::send(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(bytes.size(), record));
        ERR_clear_error();
        std::size_t count = 0;
        if (SSL_write_ex(connection_.get(), part.data(), part.size(), &count) != 1)
            co_await refused();
        co_await flush();
        bytes = bytes.subspan(count);
    }
}

std::optional<TlsSubject> TlsStream::peer_subject() const {
    auto* certificate = SSL_get0_peer_certificate(connection_.get());
    if (!certificate) return {};
    auto* name = X509_get_subject_name(certificate);
    TlsSubject subject;
    const auto common = texts_of(name, NID_commonName);
    if (common.size() != 1 || common.front().empty()) return {};
    subject.name = common.front();
    subject.organizations = texts_of(name, NID_organizationName);
    return subject;
}

bool TlsStream::peer_is(const std::string& name) const {
    auto* certificate = SSL_get0_peer_certificate(connection_.get());
    return certificate && X509_check_host(certificate, name.data(), name.size(), 0, nullptr) == 1;
}

}  // namespace sheaf::io
