#pragma once

// Why: a Volume is a volume of the pool: made once, of what it begins as, larger when it is asked
// to be, and removed when nobody needs it (docs/controllers.md, Volume).

#include "control/dependents.h"
#include "control/outcome.h"
#include "control/pool_service.h"
#include "control/reconciler.h"

namespace sheaf::control {

class VolumeReconciler final : public Reconciler {
  public:
    static constexpr std::string_view finalizer = "sheaf.io/volume";

    VolumeReconciler(ObjectClient& client, EventRecorder& events, PoolService& pool)
        : client_(client), events_(events), pool_(pool) {}

    const api::Kind& kind() const override;
    std::span<const api::Kind* const> watched() const override;
    io::Task<std::vector<ObjectKey>> affected(const api::Kind& kind, ObjectKey changed,
                                              const Json* now) override;
    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override;

  private:
    using Origin = std::optional<pool::Origin>;

    io::Task<Outcome> provide(const Json& object, Json& status);
    io::Task<Outcome> make(const Json& object, Json& status, std::uint64_t size);
    io::Task<Outcome> keep(const Json& object, Json& status, std::uint64_t size, DiskFacts facts);
    io::Task<std::optional<Outcome>> find_origin(const Json& object, Origin& origin);
    io::Task<std::optional<Outcome>> from_image(const Json& object, Origin& origin);
    io::Task<std::optional<Outcome>> from_snapshot(const Json& object, Origin& origin);
    io::Task<std::optional<Outcome>> from_volume(const Json& object, Origin& origin);
    io::Task<void> let_origin_go(const Json& object);
    io::Task<LookAgain> end(Json object);
    io::Task<Outcome> try_end(const Json& object);
    io::Task<std::optional<Json>> look_at(const Json& object, const api::Kind& kind,
                                          std::string name);

    ObjectClient& client_;
    EventRecorder& events_;
    PoolService& pool_;
    Dependents dependents_;
};

}  // namespace sheaf::control
