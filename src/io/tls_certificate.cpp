#include "io/tls_certificate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <memory>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"
#include "io/openssl.h"
#include "io/tls_context.h"

namespace sheaf::io {

namespace {

struct Closer {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(BIO* buffer) const { BIO_free(buffer); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
};
template <class T>
using Owned = std::unique_ptr<T, Closer>;

Failure failed(const CertificateWish& wish) {
    return fail(Kind::invalid, "certificate of {}: {}", wish.common_name, tls_reason());
}

Owned<BIO> buffer_of(const std::string& text) {
    return Owned<BIO>{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string text_of(BIO* buffer) {
    std::string text(BIO_ctrl_pending(buffer), '\0');
    BIO_read(buffer, text.data(), static_cast<int>(text.size()));
    return text;
}

Result<Owned<X509>> parse_certificate(const std::string& text) {
    TRY(load_openssl());
    const auto buffer = buffer_of(text);
    Owned<X509> certificate{PEM_read_bio_X509(buffer.get(), nullptr, nullptr, nullptr)};
    if (!certificate) return fail(Kind::invalid, "no certificate: {}", tls_reason());
    return certificate;
}

Result<Owned<EVP_PKEY>> parse_key(const std::string& text) {
    const auto buffer = buffer_of(text);
    Owned<EVP_PKEY> key{PEM_read_bio_PrivateKey(buffer.get(), nullptr, nullptr, nullptr)};
    if (!key) return fail(Kind::invalid, "no key: {}", tls_reason());
    return key;
}

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

bool add_name(X509_NAME* name, const char* part, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, octets(as_bytes(value)),
                                      static_cast<int>(value.size()), -1, 0) == 1;
}

bool set_subject(X509* certificate, const CertificateWish& wish) {
    auto* name = X509_get_subject_name(certificate);
    const auto organized = std::ranges::all_of(
        wish.organizations,
        [&](const std::string& organization) { return add_name(name, "O", organization); });
    return organized && add_name(name, "CN", wish.common_name);
}

bool set_times(X509* certificate, const CertificateWish& wish) {
    const Owned<ASN1_TIME> from{ASN1_TIME_set(nullptr, wish.from.time_since_epoch().count())};
    const Owned<ASN1_TIME> until{ASN1_TIME_set(nullptr, wish.until.time_since_epoch().count())};
    return from && until && X509_set1_notBefore(certificate, from.get()) == 1 &&
           X509_set1_notAfter(certificate, until.get()) == 1;
}

// Of 126 random bits: nobody can tell the next one, and none comes twice.
bool set_serial(X509* certificate) {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
    bytes[0] = (bytes[0] & 0x3f) | 0x40;
    return ASN1_STRING_set(X509_get_serialNumber(certificate), bytes.data(), bytes.size()) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int which, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION> made{X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str())};
    return made && X509_add_ext(certificate, made.get(), -1) == 1;
}

bool add_extensions(X509* certificate, X509* issuer, const CertificateWish& wish) {
    const auto add = [&](int which, const std::string& value) {
        return add_extension(certificate, issuer, which, value);
    };
    if (!add(NID_subject_key_identifier, "hash")) return false;
    if (wish.use == TlsUse::authority)
        return add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add(NID_key_usage, "critical,keyCertSign,cRLSign");
    const auto* purpose = wish.use == TlsUse::server ? "serverAuth" : "clientAuth";
    if (!add(NID_basic_constraints, "critical,CA:FALSE") ||
        !add(NID_key_usage, "critical,digitalSignature") || !add(NID_ext_key_usage, purpose) ||
        !add(NID_authority_key_identifier, "keyid"))
        return false;
    std::string hosts;
    for (const auto& host : wish.hosts)
        hosts += (hosts.empty() ? "" : ",") + std::string{is_address(host) ? "IP:" : "DNS:"} + host;
    return hosts.empty() || add(NID_subject_alt_name, hosts);
}

// A list of OpenSSL's has commas, and its names do not escape them.
bool is_plain(const std::string& host) {
    return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' ||
               letter == ':' || letter == '_';
    });
}

Result<TlsIdentity> as_text(X509* certificate, EVP_PKEY* key) {
    const Owned<BIO> public_part{BIO_new(BIO_s_mem())};
    const Owned<BIO> secret_part{BIO_new(BIO_s_mem())};
    if (!public_part || !secret_part || PEM_write_bio_X509(public_part.get(), certificate) != 1 ||
        PEM_write_bio_PrivateKey(secret_part.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
            1)
        return fail(Kind::exhausted, "writing a certificate: {}", tls_reason());
    return TlsIdentity{text_of(public_part.get()), text_of(secret_part.get())};
}

}  // namespace

Result<TlsIdentity> make_identity(const CertificateWish& wish, const TlsIdentity* authority) {
    TRY(load_openssl());
    for (const auto& host : wish.hosts)
        if (!is_plain(host)) return fail(Kind::invalid, "\"{}\": no name of a host", host);
    const Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
    const Owned<X509> certificate{X509_new()};
    if (!key || !certificate) return failed(wish);
    Owned<X509> issuer;
    Owned<EVP_PKEY> issuer_key;
    if (authority) {
        issuer = TRY(parse_certificate(authority->certificate));
        issuer_key = TRY(parse_key(authority->key));
    }
    auto* signer = issuer ? issuer.get() : certificate.get();
    auto* signing_key = issuer_key ? issuer_key.get() : key.get();
    const auto made = X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                      set_serial(certificate.get()) && set_times(certificate.get(), wish) &&
                      set_subject(certificate.get(), wish) &&
                      X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) == 1 &&
                      X509_set_pubkey(certificate.get(), key.get()) == 1 &&
                      add_extensions(certificate.get(), signer, wish) &&
                      X509_sign(certificate.get(), signing_key, EVP_sha256()) > 0;
    if (!made) return failed(wish);
    return as_text(certificate.get(), key.get());
}

Result<std::chrono::sys_seconds> end_of_certificate(const std::string& certificate) {
    const auto parsed = TRY(parse_certificate(certificate));
    const Owned<ASN1_TIME> epoch{ASN1_TIME_set(nullptr, 0)};
    int days = 0;
    int seconds = 0;
    if (!epoch ||
        ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(parsed.get())) != 1)
        return fail(Kind::invalid, "a certificate without an end: {}", tls_reason());
    return std::chrono::sys_seconds{std::chrono::days{days} + std::chrono::seconds{seconds}};
}

Result<bool> is_signed_by(const std::string& certificate, const std::string& authority) {
    const auto one = TRY(parse_certificate(certificate));
    const auto other = TRY(parse_certificate(authority));
    auto* key = X509_get0_pubkey(other.get());
    const auto is = key && X509_verify(one.get(), key) == 1;
    ERR_clear_error();
    return is;
}

Result<bool> covers_hosts(const std::string& certificate, const std::vector<std::string>& hosts) {
    const auto parsed = TRY(parse_certificate(certificate));
    return std::ranges::all_of(hosts, [&](const std::string& host) {
        return is_address(host)
                   ? X509_check_ip_asc(parsed.get(), host.c_str(), 0) == 1
                   : X509_check_host(parsed.get(), host.data(), host.size(), 0, nullptr) == 1;
    });
}

}  // namespace sheaf::io
