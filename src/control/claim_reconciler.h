#pragma once

// Why: users of Kubernetes ask for disks by claims, users of KubeVirt by data volumes. Both are
// made true by a Volume of the same name (docs/controllers.md, Claims).

#include "control/outcome.h"
#include "control/owned_object.h"
#include "control/reconciler.h"

namespace sheaf::control {

// What both have in common; of the claim or data volume what its volume is to be is asked.
class ClaimReconciler : public Reconciler {
  public:
    static constexpr std::string_view finalizer = "sheaf.io/claim";

    ClaimReconciler(ObjectClient& client, EventRecorder& events)
        : client_(client), events_(events) {}

    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override;

  protected:
    ObjectClient& client() { return client_; }
    // The `spec` of its Volume.
    virtual Result<Json> volume_spec(const Json& object) const = 0;
    // What has to be there beside its Volume, and what may go again once that is ready.
    virtual io::Task<void> prepare(const Json& object) = 0;
    virtual io::Task<void> clear(const Json& object) = 0;
    // How the object stands when its Volume does so; puts the rest into the status.
    virtual io::Task<Outcome> judge(const Json& object, const Json& volume, Json& status) = 0;

  private:
    io::Task<Outcome> provide(const Json& object, Json& status);
    io::Task<void> grow(const Json& object, Json& volume, const Json& wanted);
    io::Task<void> end(Json object);

    ObjectClient& client_;
    EventRecorder& events_;
};

class PersistentClaimReconciler final : public ClaimReconciler {
  public:
    using ClaimReconciler::ClaimReconciler;
    const api::Kind& kind() const override;
    std::span<const api::Kind* const> watched() const override;

  private:
    Result<Json> volume_spec(const Json& object) const override;
    io::Task<void> prepare(const Json& object) override;
    io::Task<void> clear(const Json& object) override;
    io::Task<Outcome> judge(const Json& object, const Json& volume, Json& status) override;
};

// One that is fetched has an Image of its name until its Volume is ready.
class DataVolumeReconciler final : public ClaimReconciler {
  public:
    using ClaimReconciler::ClaimReconciler;
    const api::Kind& kind() const override;
    std::span<const api::Kind* const> watched() const override;

  private:
    Result<Json> volume_spec(const Json& object) const override;
    io::Task<void> prepare(const Json& object) override;
    io::Task<void> clear(const Json& object) override;
    io::Task<Outcome> judge(const Json& object, const Json& volume, Json& status) override;
};

}  // namespace sheaf::control
