#pragma once

// Why: a machine's disk that is a volume: the engine runs in the VMM, on the files and the channel
// that its keeper gave it, and answers others there.

#include <functional>

#include "node/layer_requests.h"
#include "node/vmm_spec.h"
#include "storage/pool/control_server.h"

namespace sheaf::node {

// Loop thread.
class VolumeDisk final : pool::VolumeUser {
  public:
    // Takes over the descriptors, and turns the loop until the volume is open. The loop outlives
    // it.
    static Result<std::unique_ptr<VolumeDisk>> open(io::Loop& loop, const VolumeSpec& spec);
    VolumeDisk(const VolumeDisk&) = delete;
    VolumeDisk& operator=(const VolumeDisk&) = delete;
    // Shuts it down where that was not done, turning the loop.
    ~VolumeDisk() override;

    storage::Block& block() { return *engine_; }
    // Called when the volume has another size.
    void on_resize(std::function<void()> tell) { tell_of_size_ = std::move(tell); }
    // Makes everything stable and says that it was closed cleanly; nothing is asked of it any more.
    io::Task<void> shut_down();

  private:
    VolumeDisk(io::Loop& loop, const VolumeSpec& spec);
    io::Task<void> start(volume::Files files, volume::Options options);
    io::Task<void> end_needless_claims(std::vector<volume::Id> claimed);

    // VolumeUser.
    Result<void> may_revert() const override;
    void resized() override;

    io::Loop& loop_;
    std::string name_;
    Fd lock_;
    Fd control_;
    KeeperLayers layers_;
    std::function<void()> tell_of_size_;
    std::unique_ptr<volume::Volume> engine_;
    std::optional<pool::ControlServer> server_;
};

}  // namespace sheaf::node
