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

    store::Revision revision() const { return revision_; }
    std::optional<store::Record> get(const std::string& key) const;
    Result<store::Page> list(const store::ListRequest& request) const;
    Result<store::Revision> commit(const store::Transaction& transaction);
    Result<std::vector<store::Change>> changes(const std::string& prefix,
                                               store::Revision after) const;
    Result<void> compact(store::Revision revision);

    store::LeaseId grant(std::chrono::seconds ttl);
    Result<void> renew(store::LeaseId lease);
    Result<void> revoke(store::LeaseId lease);

    // Woken whenever the revision has changed, and whenever somebody's way to it has.
    io::Waiters& changed() { return changed_; }
    // Before it is destroyed, once no store::Kv of it is used any more.
    io::Task<void> shut_down();

  private:
    struct Version {
        store::Revision revision;
        std::optional<store::Record> record;  // none: deleted
    };
    struct Lease {
        std::chrono::seconds ttl;
        io::TimePoint deadline;
    };

    // What the key held up to this revision; none where there was nothing.
    static const Version* version_at(const std::vector<Version>& versions, store::Revision at);
    std::optional<store::Record> record_at(const std::string& key, store::Revision at) const;
    bool apply(const store::Write& write, store::Revision revision);
    void end_lease(store::LeaseId lease);
    io::Task<void> end_when_due(store::LeaseId lease);

    io::SimLoop& loop_;
    io::TaskGroup group_;
    io::Waiters changed_;
    std::map<std::string, std::vector<Version>> versions_;
    std::multimap<store::Revision, std::string> written_;  // which keys in which revision
    std::map<store::LeaseId, Lease> leases_;
    store::LeaseId last_lease_ = 0;
    store::Revision revision_ = 1;
    store::Revision compacted_ = 0;
};

}  // namespace sheaf::sim
