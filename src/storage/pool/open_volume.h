#pragma once

// Why: a process that works on a volume has its lock, runs its engine and serves others meanwhile;
// what comes before what, on the way in and out, is in docs/formats/pool.md, "Locks".

#include "storage/pool/control_server.h"
#include "storage/pool/held_layers.h"
#include "storage/pool/pool.h"

namespace sheaf::pool {

// Loop thread.
class OpenVolume {
  public:
    // Takes over the volume; who wants it waits. Pool, loop and user outlive it.
    static io::Task<std::unique_ptr<OpenVolume>> open(io::Loop& loop, const Pool& pool,
                                                      Holding holding, VolumeUser& user);
    // Others are served from now on.
    io::Task<void> serve();
    OpenVolume(const OpenVolume&) = delete;
    OpenVolume& operator=(const OpenVolume&) = delete;
    // After shut_down().
    ~OpenVolume() = default;

    volume::Volume& engine() { return *engine_; }
    const Holding& holding() const { return holding_; }
    // Nobody uses it any more: makes everything stable and gives the volume up.
    io::Task<void> shut_down();

  private:
    OpenVolume(io::Loop& loop, Holding holding, VolumeUser& user)
        : loop_(loop), holding_(std::move(holding)), layers_(holding_), user_(user) {}

    io::Loop& loop_;
    Holding holding_;
    HeldLayers layers_;
    VolumeUser& user_;
    std::unique_ptr<volume::Volume> engine_;
    std::optional<ControlServer> server_;
};

}  // namespace sheaf::pool
