#pragma once

// Why: the store's rules over SQLite's tables, as plain calls that block: what a transaction
// changes, what a revision shows, when a lease ends. SqliteKv makes them in a thread of its own.

#include <chrono>

#include "store/kv.h"
#include "store/sqlite_connection.h"

namespace sheaf::kv {

// One thread at a time; any number of processes have the same file. Requests were checked before
// (limits.h). Every call first ends the leases that are due.
class SqliteRecords {
  public:
    explicit SqliteRecords(SqliteConnection connection) : connection_(std::move(connection)) {}

    struct State {
        Revision revision = 0;
        Revision compacted = 0;
        // Until the next lease is due, if there is one.
        std::optional<std::chrono::milliseconds> next_end;
    };
    Result<State> state();

    Result<std::optional<Record>> get(const std::string& key);
    Result<Page> list(const ListRequest& request);
    Result<Revision> commit(const Transaction& transaction);

    struct Changes {
        Revision revision = 0;  // up to which these are all
        std::vector<Change> changes;
    };
    // Whole revisions, and no more of them once there are many.
    Result<Changes> changes(const std::string& prefix, Revision after);

    Result<LeaseId> grant(std::chrono::seconds ttl);
    Result<void> renew(LeaseId lease);
    Result<void> revoke(LeaseId lease);
    Result<void> compact(Revision revision);

  private:
    Result<State> read_state();
    Result<void> end_due_leases();
    Result<void> end_lease(LeaseId lease);
    Result<void> require_lease(LeaseId lease);
    Result<void> check(const Condition& condition);
    Result<bool> apply(const Write& write, Revision revision);
    Result<void> supersede(const std::string& key, Revision revision);
    Result<std::optional<Record>> before(const std::string& key, Revision revision);
    Result<void> set_revision(Revision revision);
    Result<SqliteTransaction> begin_writing();
    Result<void> committed(SqliteTransaction transaction);

    SqliteConnection connection_;
};

}  // namespace sheaf::kv
