#pragma once

// Why: tests of etcd run against the real one: three members of Debian's package on loopback, that
// believe nobody without a certificate.

#include <array>
#include <memory>
#include <string>

#include "base/child.h"
#include "io/tls_context.h"

namespace sheaf::test {

// Keys and certificates of an authority of its own.
class Certificates {
  public:
    // In a folder that is there.
    explicit Certificates(std::string folder);
    // Makes NAME.pem and NAME.key for loopback, and says where they are.
    io::TlsFiles make(const std::string& name) const;
    std::string authority() const { return folder_ + "/authority.pem"; }

  private:
    std::string folder_;
};

class EtcdCluster {
  public:
    static constexpr std::size_t members = 3;
    static bool is_installed();

    // In a folder that is there and empty. Members may take some seconds to find each other.
    explicit EtcdCluster(const std::string& folder);

    std::string location() const;  // as open_store() takes it
    std::string url(std::size_t member) const;
    const io::TlsFiles& client() const { return client_; }
    // As kill -9; start() has it go on with what it had made stable.
    void kill(std::size_t member);
    void start(std::size_t member);
    // It stays, but does nothing.
    void freeze(std::size_t member);
    void thaw(std::size_t member);

  private:
    struct Member {
        int client_port;
        int peer_port;
        Child process;
    };
    std::string peers() const;

    std::string folder_;
    Certificates certificates_;
    io::TlsFiles server_;
    io::TlsFiles client_;
    std::array<Member, members> members_;
};

}  // namespace sheaf::test
