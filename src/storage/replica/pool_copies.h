#pragma once

// Why: a server of copies has those of its pool open that engines speak to, and no others: what is
// at rest costs nothing, and an engine of this host may have its copy in its own process.

#include <map>

#include "base/log.h"
#include "io/side_thread.h"
#include "storage/replica/copies_record.h"
#include "storage/replica/open_copy.h"
#include "storage/replica/server_session.h"

namespace sheaf::replica {

// Loop thread only. What it stands on outlives it.
class PoolCopies final : public Copies {
  public:
    struct Setting {
        io::Loop& loop;
        const pool::Pool& pool;
        io::SideThread& side;  // where the pool is waited for
        kv::Kv& store;
        RecordedAuthority& authority;
        const Logger& logger;
        std::string node;
    };
    explicit PoolCopies(Setting setting) : setting_(std::move(setting)) {}

    io::Task<std::unique_ptr<CopyUse>> open(volume::Id volume, std::string node) override;
    io::Task<void> create(CopyRequest wanted, std::uint64_t size) override;
    io::Task<void> remove(CopyRequest gone) override;
    // No connection is left: ends when all copies are closed.
    io::Task<void> shut_down();

  private:
    class Use;
    class Waiting;
    enum class State : std::uint8_t { opening, open, closing, failed };
    struct Entry {
        State state = State::opening;
        std::unique_ptr<OpenCopy> copy;
        std::size_t uses = 0;
        std::size_t waiting = 0;
        std::optional<Error> error;  // why it could not be opened
    };

    io::Task<void> open_entry(volume::Id id, Entry& entry);
    io::Task<std::unique_ptr<OpenCopy>> open_copy(volume::Id id);
    void let_go(const volume::Id& id);
    io::Task<void> close_entry(volume::Id id, Entry& entry);
    io::Task<CopiesRecord> expect(CopyRequest request, CopiesState state);

    Setting setting_;
    std::map<volume::Id, Entry> entries_;
    io::Waiters changed_;
    io::TaskGroup work_;
};

}  // namespace sheaf::replica
