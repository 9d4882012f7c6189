#pragma once

// Why: of a volume that a machine uses, the keeper has the lock, the socket on which others ask for
// it, and the pool; each VMM it starts gets the open files.

#include "node/vmm_spec.h"
#include "storage/pool/pool.h"

namespace sheaf::node {

class HeldVolume {
  public:
    // Takes the volume's lock and listens on its control socket. Fails with conflict where it is in
    // use, saying by whom.
    static Result<std::unique_ptr<HeldVolume>> take(const std::string& pool,
                                                    const std::string& name);
    HeldVolume(const HeldVolume&) = delete;
    HeldVolume& operator=(const HeldVolume&) = delete;
    ~HeldVolume();

    // The files as they are now, for one VMM.
    struct Offer {
        VolumeSpec spec;
        std::vector<Fd> opened;  // named in the spec, and closed once the VMM has its own
        Fd requests;             // the keeper's end of the channel for layers
    };
    Result<Offer> offer() const;

    const pool::Holding& holding() const { return holding_; }

  private:
    HeldVolume(std::unique_ptr<pool::Pool> pool, pool::Holding holding, Fd listener)
        : pool_(std::move(pool)), holding_(std::move(holding)), listener_(std::move(listener)) {}

    std::unique_ptr<pool::Pool> pool_;
    pool::Holding holding_;
    Fd listener_;
};

}  // namespace sheaf::node
