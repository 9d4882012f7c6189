#pragma once

// Why: whether it is the store that is slow is asked when anything is. What goes to it is timed on
// the way, whoever asks and whichever store it is.

#include "base/metrics_registry.h"
#include "io/loop.h"
#include "store/kv.h"

namespace sheaf::api {

// The same store, and a histogram of the seconds of each get, list and commit, failed ones
// included: sheaf_store_duration_seconds. Loop thread only. What is passed outlives it.
class MeasuredKv final : public kv::Kv {
  public:
    MeasuredKv(io::Loop& loop, kv::Kv& store, MetricsRegistry& registry);

    io::Task<std::optional<kv::Record>> get(std::string key) override;
    io::Task<kv::Page> list(kv::ListRequest request) override;
    io::Task<kv::Revision> commit(kv::Transaction transaction) override;
    std::unique_ptr<kv::Watch> watch(std::string prefix, kv::Revision after) override {
        return store_.watch(std::move(prefix), after);
    }
    io::Task<kv::Lease> grant(std::chrono::seconds ttl) override { return store_.grant(ttl); }
    io::Task<void> renew(kv::LeaseId lease) override { return store_.renew(lease); }
    io::Task<void> revoke(kv::LeaseId lease) override { return store_.revoke(lease); }
    io::Task<void> compact(kv::Revision revision) override { return store_.compact(revision); }
    io::Task<void> shut_down() override { return store_.shut_down(); }

  private:
    struct Time {
        Time(MetricsRegistry& registry, std::string operation);
        Histogram seconds;
        MetricsRegistry::Registration known;
    };
    template <class T>
    io::Task<T> timed(io::Task<T> work, Time& time);

    io::Loop& loop_;
    kv::Kv& store_;
    Time gets_;
    Time lists_;
    Time commits_;
};

}  // namespace sheaf::api
