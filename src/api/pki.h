#pragma once

// Why: TLS works from the first start on, because a node makes the certificates it needs itself
// (docs/api.md, Certificates).

#include "base/wall_clock.h"
#include "io/tls_certificate.h"
#include "io/tls_context.h"

namespace sheaf::api {

// The files in a state directory, each a certificate with its key but for the last.
class Pki {
  public:
    explicit Pki(const std::string& state_directory) : folder_(state_directory + "/pki") {}

    // Makes what is missing, and anew what ends soon, is of another authority or lacks one of these
    // hosts. Blocks. Gives whether anything was made. Fails with invalid for a file that is
    // damaged: what may be the only copy of a key is never written over.
    Result<bool> renew(const std::vector<std::string>& hosts, const WallClock& clock) const;

    // For a server that believes its own authority.
    io::TlsFiles of_server() const;
    // The administrator: a member of system:masters.
    Result<io::TlsIdentity> administrator() const;
    // A certificate for somebody else, which is not kept here.
    Result<io::TlsIdentity> make_client(const std::string& name,
                                        const std::vector<std::string>& groups,
                                        const WallClock& clock) const;
    // The authority's certificate.
    Result<std::string> authority() const;

  private:
    std::string path(std::string_view name) const;
    Result<std::optional<io::TlsIdentity>> load(std::string_view name) const;
    Result<io::TlsIdentity> make(std::string_view name, const io::CertificateWish& wish,
                                 const io::TlsIdentity* authority) const;

    std::string folder_;
};

// The names and addresses by which clients may know this host: loopback, its own name, and
// `address`, or those of all its interfaces where that is none of them ("0.0.0.0", "::").
std::vector<std::string> hosts_of(const std::string& address);

}  // namespace sheaf::api
