#pragma once

// Why: verbs about replicated volumes have the same options, and reach the same things: the store
// that hosts agree in, and the servers of the copies.

#include <memory>
#include <optional>

#include "cli/options.h"
#include "storage/replica/dialer.h"
#include "store/open.h"

namespace sheaf::cli {

inline constexpr Option kv_option = {"kv", "STORE",
                                     "what hosts agree in: sqlite:FILE or etcd:URL[,URL]..."};
inline constexpr Option tls_cert_option = {"tls-cert", "FILE", "this host's certificate (PEM)"};
inline constexpr Option tls_key_option = {"tls-key", "FILE", "and its key"};
inline constexpr Option tls_ca_option = {"tls-ca", "FILE", "whose certificates are believed"};
inline constexpr Option insecure_option = {"insecure", "",
                                           "speak without TLS at loopback addresses"};

// What the options say, checked as far as that goes without waiting.
struct ClusterOptions {
    kv::StoreLocation store;
    replica::Plain plain = replica::Plain::never;
    bool has_certificate() const { return !store.tls.certificate.empty(); }
};
Result<ClusterOptions> parse_cluster_options(const Arguments& arguments);

// Loop thread only; the loop outlives it.
class ClusterAccess {
  public:
    static io::Task<std::unique_ptr<ClusterAccess>> open(io::Loop& loop, ClusterOptions options);
    ~ClusterAccess() = default;  // after shut_down()

    kv::Kv& store() { return *store_; }
    replica::Dialer& dialer() { return *dialer_; }
    // For calls that block.
    io::SideThread& side() { return *side_; }
    io::Task<void> shut_down();

  private:
    ClusterAccess() = default;

    std::optional<io::TlsContext> tls_;
    std::unique_ptr<io::SideThread> side_;
    std::optional<replica::Dialer> dialer_;
    std::unique_ptr<kv::Kv> store_;
};

// Opens it, has `work` done with it, and closes it.
template <class Work>
io::Task<void> with_cluster(io::Loop& loop, ClusterOptions options, Work work) {
    const auto access = co_await ClusterAccess::open(loop, std::move(options));
    auto working = work(*access);
    auto done = co_await std::move(working).result();
    co_await access->shut_down();
    co_await std::move(done);
}

}  // namespace sheaf::cli
