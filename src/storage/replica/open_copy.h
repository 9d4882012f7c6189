#pragma once

// Why: a copy that this process has open: its lock, its volume, and the rules in front of it. What
// comes before what is as with any volume (docs/formats/pool.md, "Locks").

#include "storage/pool/held_layers.h"
#include "storage/pool/pool.h"
#include "storage/replica/local_replica.h"

namespace sheaf::replica {

// Loop thread only; loop and pool outlive it.
class OpenCopy {
  public:
    // Of a volume that was held as a copy.
    static io::Task<std::unique_ptr<OpenCopy>> open(io::Loop& loop, const pool::Pool& pool,
                                                    pool::Holding holding);
    OpenCopy(const OpenCopy&) = delete;
    OpenCopy& operator=(const OpenCopy&) = delete;
    ~OpenCopy() = default;  // after shut_down()

    LocalReplica& copy() { return *copy_; }
    volume::Volume& volume() { return *volume_; }
    const std::string& name() const { return holding_.name(); }
    // Nobody uses it any more: makes everything stable and gives it up.
    io::Task<void> shut_down();

  private:
    explicit OpenCopy(pool::Holding holding) : holding_(std::move(holding)), layers_(holding_) {}

    pool::Holding holding_;
    pool::HeldLayers layers_;
    std::unique_ptr<volume::Volume> volume_;
    std::unique_ptr<LocalReplica> copy_;
};

}  // namespace sheaf::replica
