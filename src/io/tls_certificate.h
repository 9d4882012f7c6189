#pragma once

// Why: a host is its own authority: it makes the certificates by which it and its clients know each
// other, and nobody has to be asked (RFC 5280, in the profile that clients of TLS 1.3 expect).

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace sheaf::io {

// A certificate and its key, both as PEM. The key is a secret.
struct TlsIdentity {
    std::string certificate;
    std::string key;
};

enum class TlsUse { authority, server, client };

// What is to be certified. Values are of any text but what names them in X.509 limits: 64 bytes.
struct CertificateWish {
    TlsUse use = TlsUse::client;
    std::string common_name;
    std::vector<std::string> organizations = {};
    std::vector<std::string> hosts = {};  // names and addresses of a server
    std::chrono::sys_seconds from;
    std::chrono::sys_seconds until;
};

// Makes a key (ECDSA, P-256) and its certificate, which `authority` signs; an authority signs its
// own where there is none. Any thread. Fails with invalid for a name that cannot stand in one.
Result<TlsIdentity> make_identity(const CertificateWish& wish, const TlsIdentity* authority);

// When a certificate ceases to be valid, and whether its issuer's is `authority`; hosts that it is
// not valid for are told by the second. Fail with invalid where the text is no certificate.
Result<std::chrono::sys_seconds> end_of_certificate(const std::string& certificate);
Result<bool> is_signed_by(const std::string& certificate, const std::string& authority);
Result<bool> covers_hosts(const std::string& certificate, const std::vector<std::string>& hosts);

}  // namespace sheaf::io
