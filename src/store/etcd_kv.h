#pragma once

// Why: the store of many nodes: an etcd cluster, through its JSON gateway. Consensus is etcd's;
// here is which member is asked, and what may be asked again (docs/formats/store.md, "etcd").

#include "store/etcd_members.h"

namespace sheaf::kv {

class EtcdKv final : public Kv {
  public:
    // Reads the files of TLS; opens no connection yet. The loop outlives the store.
    static Result<std::unique_ptr<EtcdKv>> create(io::Loop& loop, EtcdOptions options);

    io::Task<std::optional<Record>> get(std::string key) override;
    io::Task<Page> list(ListRequest request) override;
    io::Task<Revision> commit(Transaction transaction) override;
    std::unique_ptr<Watch> watch(std::string prefix, Revision after) override;
    io::Task<Lease> grant(std::chrono::seconds ttl) override;
    io::Task<void> renew(LeaseId lease) override;
    io::Task<void> revoke(LeaseId lease) override;
    io::Task<void> compact(Revision revision) override;
    io::Task<void> shut_down() override;

  private:
    explicit EtcdKv(std::unique_ptr<EtcdMembers> members) : members_(std::move(members)) {}
    io::Task<etcd::RangeAnswer> range(std::string body);

    std::unique_ptr<EtcdMembers> members_;
};

}  // namespace sheaf::kv
