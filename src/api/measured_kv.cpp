#include "api/measured_kv.h"

namespace sheaf::api {

MeasuredKv::Time::Time(MetricsRegistry& registry, std::string operation)
    : seconds({0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1}) {
    auto added = registry.add({"sheaf_store_duration_seconds",
                               "What the store of objects took for an operation.",
                               {{"operation", std::move(operation)}}},
                              seconds);
    // Two of these in one process are two stores: the first is the one that is shown.
    if (added) known = *std::move(added);
}

MeasuredKv::MeasuredKv(io::Loop& loop, kv::Kv& store, MetricsRegistry& registry)
    : loop_(loop),
      store_(store),
      gets_(registry, "get"),
      lists_(registry, "list"),
      commits_(registry, "commit") {}

template <class T>
io::Task<T> MeasuredKv::timed(io::Task<T> work, Time& time) {
    const auto began = loop_.now();
    auto done = co_await std::move(work).result();
    time.seconds.observe(std::chrono::duration<double>{loop_.now() - began}.count());
    co_return co_await std::move(done);
}

io::Task<std::optional<kv::Record>> MeasuredKv::get(std::string key) {
    return timed(store_.get(std::move(key)), gets_);
}

io::Task<kv::Page> MeasuredKv::list(kv::ListRequest request) {
    return timed(store_.list(std::move(request)), lists_);
}

io::Task<kv::Revision> MeasuredKv::commit(kv::Transaction transaction) {
    return timed(store_.commit(std::move(transaction)), commits_);
}

}  // namespace sheaf::api
