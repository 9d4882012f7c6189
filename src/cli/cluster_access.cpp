#include "cli/cluster_access.h"

namespace sheaf::cli {

Result<ClusterOptions> parse_cluster_options(const Arguments& arguments) {
    ClusterOptions options;
    options.store.text = TRY(arguments.one("kv"));
    if (options.store.text.empty()) return fail(Kind::invalid, "--kv is missing");
    auto& tls = options.store.tls;
    tls.certificate = TRY(arguments.one("tls-cert"));
    tls.key = TRY(arguments.one("tls-key"));
    tls.authority = TRY(arguments.one("tls-ca"));
    const auto none = tls.certificate.empty() && tls.key.empty() && tls.authority.empty();
    const auto all = !tls.certificate.empty() && !tls.key.empty() && !tls.authority.empty();
    if (!none && !all)
        return fail(Kind::invalid, "--tls-cert, --tls-key and --tls-ca are given together");
    if (arguments.has("insecure")) options.plain = replica::Plain::on_loopback;
    return options;
}

io::Task<std::unique_ptr<ClusterAccess>> ClusterAccess::open(io::Loop& loop,
                                                             ClusterOptions options) {
    auto access = std::unique_ptr<ClusterAccess>{new ClusterAccess};
    if (options.has_certificate())
        access->tls_ = co_await io::TlsContext::create(io::TlsRole::client, options.store.tls);
    access->side_ = co_await io::SideThread::create(loop);
    access->dialer_.emplace(loop, *access->side_, access->tls_ ? &*access->tls_ : nullptr,
                            options.plain);
    access->store_ = co_await kv::open_store(loop, std::move(options.store));
    co_return access;
}

io::Task<void> ClusterAccess::shut_down() {
    co_await store_->shut_down();
}

}  // namespace sheaf::cli
