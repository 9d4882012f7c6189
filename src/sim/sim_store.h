#pragma once

// Why: the state of a simulated store: what docs/formats/store.md promises, in memory and at once.
// It is the model that the real ones are held against, and what simulated hosts share; the way to
// it (sim_kv.h) is what fails.

#include <map>

#include "io/sim_loop.h"
#include "io/task_group.h"
#include "io/waiters.h"
#include "store/kv.h"

namespace sheaf::sim {

// Requests were checked before (store/limits.h). Loop thread only; the loop outlives it.
class SimStore {
  public:
    explicit SimStore(io::SimLoop& loop) : loop_(loop) {}

    kv::Revision revision() const { return revision_; }
    std::optional<kv::Record> get(const std::string& key) const;
    Result<kv::Page> list(const kv::ListRequest& request) const;
    Result<kv::Revision> commit(const kv::Transaction& transaction);
    Result<std::vector<kv::Change>> changes(const std::string& prefix, kv::Revision after) const;
    Result<void> compact(kv::Revision revision);

    kv::LeaseId grant(std::chrono::seconds ttl);
    Result<void> renew(kv::LeaseId lease);
    Result<void> revoke(kv::LeaseId lease);

    // Woken whenever the revision has changed, and whenever somebody's way to it has.
    io::Waiters& changed() { return changed_; }
    // Before it is destroyed, once no kv::Kv of it is used any more.
    io::Task<void> shut_down();

  private:
    struct Version {
        kv::Revision revision;
        std::optional<kv::Record> record;  // none: deleted
    };
    struct Lease {
        std::chrono::seconds ttl;
        io::TimePoint deadline;
    };

    // What the key held up to this revision; none where there was nothing.
    static const Version* version_at(const std::vector<Version>& versions, kv::Revision at);
    std::optional<kv::Record> record_at(const std::string& key, kv::Revision at) const;
    bool apply(const kv::Write& write, kv::Revision revision);
    void end_lease(kv::LeaseId lease);
    io::Task<void> end_when_due(kv::LeaseId lease);

    io::SimLoop& loop_;
    io::TaskGroup group_;
    io::Waiters changed_;
    std::map<std::string, std::vector<Version>> versions_;
    std::multimap<kv::Revision, std::string> written_;  // which keys in which revision
    std::map<kv::LeaseId, Lease> leases_;
    kv::LeaseId last_lease_ = 0;
    kv::Revision revision_ = 1;
    kv::Revision compacted_ = 0;
};

}  // namespace sheaf::sim
