#pragma once

// Why: a VirtualMachine may bring its disks along: the DataVolumes of its templates are made for
// it, waited for, and go with it (docs/controllers.md, VirtualMachine).

#include "control/dependents.h"
#include "control/event_recorder.h"

namespace sheaf::control {

// How the DataVolumes of a machine's templates stand.
struct VolumesOutcome {
    bool any = false;          // whether there are templates
    bool ready = true;         // all of them
    bool failed = false;       // one will not become ready
    std::string message;       // about the first that is not ready
    std::string refused;       // why one cannot be made; empty: all are there
    std::string_view refusal;  // the same in one word
};

// Loop thread. Whatever is passed outlives it, and every call of it. The dependents tell when to
// look again.
class MachineVolumes {
  public:
    MachineVolumes(ObjectClient& client, EventRecorder& events, Dependents& dependents)
        : client_(client), events_(events), dependents_(dependents) {}

    // Makes those that are not there. One of that name that is not this machine's is left alone.
    io::Task<VolumesOutcome> provide(const Json& machine);
    // Asks for the end of all that are this machine's alone; gives whether they are gone.
    io::Task<bool> remove(const Json& machine);
    // They are nobody's afterwards.
    io::Task<void> release(const Json& machine);

  private:
    io::Task<void> provide_one(const Json& machine, const Json& wanted, VolumesOutcome& outcome);
    io::Task<Json> make(const Json& machine, const Json& wanted);
    io::Task<std::vector<Json>> owned(const Json& machine);

    ObjectClient& client_;
    EventRecorder& events_;
    Dependents& dependents_;
};

}  // namespace sheaf::control
