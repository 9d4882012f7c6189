#pragma once

// Why: a Snapshot is what a Volume held at one instant, also while a machine writes to it
// (docs/controllers.md, Snapshot).

#include "control/dependents.h"
#include "control/outcome.h"
#include "control/pool_service.h"
#include "control/reconciler.h"

namespace sheaf::control {

class SnapshotReconciler final : public Reconciler {
  public:
    static constexpr std::string_view finalizer = "sheaf.io/snapshot";

    SnapshotReconciler(ObjectClient& client, EventRecorder& events, PoolService& pool)
        : client_(client), events_(events), pool_(pool) {}

    const api::Kind& kind() const override;
    std::span<const api::Kind* const> watched() const override;
    io::Task<std::vector<ObjectKey>> affected(const api::Kind& kind, ObjectKey changed,
                                              const Json* now) override;
    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override;

  private:
    io::Task<Outcome> provide(Json& object);
    io::Task<void> end(Json object);

    ObjectClient& client_;
    EventRecorder& events_;
    PoolService& pool_;
    Dependents dependents_;
};

}  // namespace sheaf::control
