#pragma once

// Why: what can be done to an open volume is the same whether the process with the engine was asked
// by its own user or over the control socket.

#include "storage/pool/control_protocol.h"
#include "storage/volume/volume.h"

namespace sheaf::pool {

// Who has the volume open, as far as it matters to what may be done.
class VolumeUser {
  public:
    virtual ~VolumeUser() = default;

    // Whether its content may be replaced now; conflict, with the reason, where not.
    virtual Result<void> may_revert() const = 0;
    // The volume has another size now.
    virtual void resized() = 0;
};

// A process that works on the volume and has given it to nobody.
class NoUser final : public VolumeUser {
  public:
    Result<void> may_revert() const override { return {}; }
    void resized() override {}
};

// Does what is asked for and says what the volume is then. Of `chain` the view is kept in `pinned`
// by the caller for as long as the answer is to hold. Everything outlives the task.
io::Task<VolumeStatus> perform(volume::Volume& engine, VolumeUser& user, ControlRequest request,
                               std::unique_ptr<volume::View>& pinned);

}  // namespace sheaf::pool
