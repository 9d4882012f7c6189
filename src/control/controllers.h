#pragma once

// Why: every reconciler of the daemon, and what they share.

#include "control/claim_reconciler.h"
#include "control/controller_manager.h"
#include "control/event_recorder.h"
#include "control/image_reconciler.h"
#include "control/instance_reconciler.h"
#include "control/local_pool.h"
#include "control/machine_reconciler.h"
#include "control/network_reconciler.h"
#include "control/node_reconciler.h"
#include "control/snapshot_reconciler.h"
#include "control/volume_reconciler.h"
#include "node/supervisor.h"

namespace sheaf::control {

// Loop thread only. Whatever is passed outlives it.
class Controllers {
  public:
    using Random = std::uint64_t (*)();
    struct Host {
        io::Loop& loop;
        const Logger& logger;
        std::string state_directory;
        Random random;
        node::Supervisor& machines;
    };
    Controllers(Host host, api::Objects& objects);
    Controllers(const Controllers&) = delete;
    Controllers& operator=(const Controllers&) = delete;
    ~Controllers();

    // Until stop(), and then until what is under way has ended or had its time.
    io::Task<void> run();
    void stop() { manager_.stop(); }

  private:
    void machine_changed(const std::string& uid);

    const Logger& logger_;
    node::Supervisor& supervisor_;
    ObjectClient client_;
    EventRecorder events_;
    LocalPool pool_;
    LocalLinks links_;
    VolumeReconciler volumes_;
    ImageReconciler images_;
    SnapshotReconciler snapshots_;
    PersistentClaimReconciler claims_;
    DataVolumeReconciler data_volumes_;
    NetworkReconciler networks_;
    NodeReconciler node_;
    InstanceReconciler instances_;
    MachineReconciler machines_;
    ControllerManager manager_;
};

}  // namespace sheaf::control
