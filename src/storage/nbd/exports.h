#pragma once

// Why: the server knows the protocol; what there is to be served (a volume with its snapshots, a
// raw file in a test) stands behind this, found by name.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/block.h"
#include "storage/extents.h"

namespace sheaf::nbd {

// Keeps what an export stands for (a view of a snapshot) while a client has it open.
class Lease {
  public:
    virtual ~Lease() = default;
};

// What has changed since a snapshot: data may differ from it, holes do not.
struct Changes {
    std::string snapshot;
    storage::Extents* extents = nullptr;
};

// One disk as a client sees it. What it points at lives as long as the lease.
struct Export {
    std::string name;  // canonical
    std::string description;
    storage::Block* block = nullptr;
    storage::Extents* extents = nullptr;  // null: it does not know what it holds
    std::vector<Changes> changes;
    bool read_only = false;            // also where the block could be written
    std::uint32_t fast_zero_unit = 0;  // zeroing multiples of it moves no data; 0: nothing is fast
    std::unique_ptr<Lease> lease;
};

struct Listed {
    std::string name;
    std::string description;
};

// Loop thread only. Outlives the server.
class Exports {
  public:
    virtual ~Exports() = default;

    virtual std::vector<Listed> list() = 0;
    // The empty name is the default export. Fails with not_found where there is none of that name.
    virtual io::Task<Export> open(std::string name) = 0;
};

}  // namespace sheaf::nbd
