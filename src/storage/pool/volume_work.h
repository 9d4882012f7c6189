#pragma once

// Why: what can be done to an open volume is the same whether the process with the engine was asked
// by its own user or over the control socket.

#include "storage/pool/progress.h"
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

struct Workplace {
    io::Loop& loop;
    volume::Volume& engine;
    VolumeUser& user;
};

// What one who asks has of the engine until they go away.
struct Conversation final : ProgressSink {
    void progressed(const ControlProgress& now) override { progress = now; }

    std::unique_ptr<volume::View> pinned;     // what the last answer to `chain` is true of
    std::optional<ControlProgress> progress;  // of what is under way
};

// How far what is under way has come; none: nothing that takes long is.
std::optional<ControlProgress> progress_of(const volume::Volume& engine, const Conversation& with);

// Does what is asked for and says what the volume is then. Everything outlives the task.
io::Task<VolumeStatus> perform(Workplace at, ControlRequest request, Conversation& with);

}  // namespace sheaf::pool
