#include "sim/cluster_host.h"

#include "base/units.h"

namespace sheaf::sim {

using volume::Volume;

ClusterHost::ClusterHost(const Setting& setting)
    : setting_(setting),
      world_(setting.loop, setting.seed, setting.size, setting.size + 4_MiB),
      kv_(setting.loop, setting.store, setting.seed),
      authority_(kv_) {}

io::Task<void> ClusterHost::make() {
    auto files = co_await world_.open();
    auto shape = world_.shape();
    shape.role = volume::Role::copy;
    co_await Volume::create(setting_.loop, std::move(files), shape);
}

io::Task<void> ClusterHost::start() {
    volume::Options options;
    options.growth = {.segment = 4, .ahead = 2};
    options.most_clean_pages = 4;
    options.most_changed_pages = 6;
    options.most_marked = 3;
    options.idle = std::chrono::milliseconds{20};
    options.upkeep_interval = std::chrono::milliseconds{5};
    options.role = volume::Role::copy;
    options.clock = &world_.clock();
    options.boot = world_.boot();
    auto files = co_await world_.open();
    auto& store = world_.store();
    volume_ = co_await Volume::open(setting_.loop, std::move(files), store, options);
    copy_ = std::make_unique<replica::LocalReplica>(setting_.loop, *volume_, setting_.mutation);
    crashes_by_.try_emplace(volume_->custody().incarnation(), crashes_);
    authority_.add(volume_->id(), setting_.volume);
    const replica::ServerSession::Terms terms{*this, authority_};
    server_ = std::make_unique<replica::ReplicaServer>(setting_.loop, terms, setting_.logger);
}

replica::LocalReplica* ClusterHost::find(const volume::Id& volume) {
    return running() && volume == volume_->id() ? copy_.get() : nullptr;
}

// The host's end ends the server first.
class ClusterHost::Use final : public replica::CopyUse {
  public:
    explicit Use(replica::LocalReplica& copy) : copy_(copy) {}
    replica::LocalReplica& copy() override { return copy_; }

  private:
    replica::LocalReplica& copy_;
};

io::Task<std::unique_ptr<replica::CopyUse>> ClusterHost::open(volume::Id volume,
                                                              std::string /*node*/) {
    auto* copy = find(volume);
    if (!copy) co_await fail(Kind::not_found, "no such volume is here");
    co_return std::make_unique<Use>(*copy);
}

io::Task<void> ClusterHost::create(replica::CopyRequest wanted, std::uint64_t /*size*/) {
    co_await fail(Kind::denied, "nobody may make {} here", wanted.name);
}

io::Task<void> ClusterHost::remove(replica::CopyRequest gone) {
    co_await fail(Kind::denied, "nobody may remove {} here", gone.name);
}

void ClusterHost::serve(std::unique_ptr<io::ByteStream> stream, replica::Caller caller) {
    if (server_) server_->admit(std::move(stream), std::move(caller));
}

bool ClusterHost::broken_since(std::uint64_t incarnation) const {
    const auto seen = crashes_by_.find(incarnation);
    return seen != crashes_by_.end() && seen->second != crashes_;
}

io::Task<void> ClusterHost::stop(End end) {
    if (end == End::power_cut) world_.power_cut();
    if (end == End::clean) {
        co_await server_->shut_down();
    } else {
        co_await server_->abandon();
    }
    server_.reset();
    copy_.reset();
    auto closed = Result<void>{fail(Kind::cancelled, "it was not asked to")};
    if (end == End::clean) closed = co_await volume_->shut_down().result();
    if (end != End::clean) co_await volume_->abandon();
    // Where a write had failed the volume is not called clean, and counts as one that crashed.
    if (!closed || volume_->reconciling()) ++crashes_;
    volume_.reset();
    if (end == End::power_cut) world_.power_on();
}

}  // namespace sheaf::sim
