#pragma once

// Why: an engine reaches the copy of its own host without a wire, where that is open here, and all
// others where the store says that they are.

#include "storage/replica/copies_record.h"
#include "storage/replica/dialer.h"
#include "storage/replica/local_replica.h"
#include "storage/replica/member_way.h"

namespace sheaf::replica {

// Loop thread only; dialer and local copy outlive it.
class NodeWays final : public Ways {
  public:
    // `here` is this node's copy, or none.
    NodeWays(Dialer& dialer, CopiesRecord record, std::string node, LocalReplica* here)
        : dialer_(dialer), record_(std::move(record)), node_(std::move(node)), here_(here) {}

    io::Task<std::unique_ptr<Replica>> open(std::string node) override;

  private:
    Dialer& dialer_;
    CopiesRecord record_;
    std::string node_;
    LocalReplica* here_;
};

}  // namespace sheaf::replica
