#pragma once

// Why: the store of one node: a file that the daemon and the other processes of this machine have
// open at once. SQLite blocks, so it runs in a thread of its own; what others change is noticed by
// inotify.

#include "base/fd.h"
#include "io/event.h"
#include "io/side_thread.h"
#include "io/task_group.h"
#include "io/waiters.h"
#include "store/sqlite_records.h"

namespace sheaf::kv {

class SqliteKv final : public Kv {
  public:
    // Opens the file, or makes it; see open_sqlite(). The loop outlives the store.
    static io::Task<std::unique_ptr<SqliteKv>> open(io::Loop& loop, std::string path);

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
    class FileWatch;

    SqliteKv(io::Loop& loop, std::unique_ptr<io::SideThread> thread)
        : loop_(loop), thread_(std::move(thread)) {}

    io::Task<void> notice_signs();
    io::Task<void> keep_up();
    io::Task<void> look();
    io::Task<void> stir_at(io::TimePoint time);
    io::Task<void> changed_after(Revision revision);

    io::Loop& loop_;
    std::unique_ptr<io::SideThread> thread_;
    std::unique_ptr<SqliteRecords> records_;  // for that thread alone
    Fd signs_;                                // inotify
    io::TaskGroup group_;
    io::Event stirred_;  // something may have changed
    io::Waiters watchers_;
    Revision known_ = 0;
    std::optional<io::TimePoint> armed_;  // when a lease is due that a task waits for
};

}  // namespace sheaf::kv
