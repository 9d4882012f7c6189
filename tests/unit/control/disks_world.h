#pragma once

// Why: volumes, images and snapshots stand on each other, so they are reconciled together.

#include "control/image_reconciler.h"
#include "control/snapshot_reconciler.h"
#include "control/volume_reconciler.h"
#include "unit/control/fake_pool.h"

namespace sheaf::control {

// A process with all three.
struct DiskProcess {
    DiskProcess(io::Loop& loop, kv::Kv& kv, const WallClock& clock, PoolState& state,
                Lifetime life = {})
        : process(loop, kv, clock, life),
          pool(loop, state, process.life()),
          volumes(process.client(), process.events(), pool),
          images(loop, process.client(), process.events(), pool),
          snapshots(process.client(), process.events(), pool) {
        for (Reconciler* reconciler :
             {static_cast<Reconciler*>(&volumes), static_cast<Reconciler*>(&images),
              static_cast<Reconciler*>(&snapshots)})
            process.add(*reconciler);
    }

    Process process;
    FakePool pool;
    VolumeReconciler volumes;
    ImageReconciler images;
    SnapshotReconciler snapshots;
};

class DisksWorld : public ControlWorld {
  protected:
    Json volume(const std::string& name, const std::string& source = "", int mib = 1) {
        return create(api::volume_kind,
                      fmt::format(R"({{"metadata":{{"name":"{}","namespace":"default"}},
                                      "spec":{{"size":"{}Mi"{}}}}})",
                                  name, mib, source.empty() ? "" : ",\"source\":" + source));
    }
    Json image(const std::string& name, const std::string& kind = "disk") {
        return create(api::image_kind,
                      fmt::format(R"({{"metadata":{{"name":"{}","namespace":"default"}},
                                      "spec":{{"kind":"{}","source":{{"url":"http://h/i"}}}}}})",
                                  name, kind));
    }
    Json snapshot(const std::string& name, const std::string& volume) {
        return create(api::snapshot_kind,
                      fmt::format(R"({{"metadata":{{"name":"{}","namespace":"default"}},
                                      "spec":{{"volume":"{}"}}}})",
                                  name, volume));
    }
    void pass(io::Duration time, Lifetime life = {}) {
        DiskProcess disks{*loop_, kv_, clock_, pool_, life};
        get(disks.process.run_for(time));
        used_ = disks.process.life();
    }
    std::string ready(const api::Kind& kind, const std::string& name) {
        return condition(kind, name, "Ready");
    }

    PoolState pool_;
    Lifetime used_;
};

}  // namespace sheaf::control
