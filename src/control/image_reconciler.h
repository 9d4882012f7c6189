#pragma once

// Why: an Image is taken in once from where it is published, and is then what volumes begin as, or
// the kernel of machines (docs/controllers.md, Image).

#include "control/outcome.h"
#include "control/pool_service.h"
#include "control/reconciler.h"

namespace sheaf::control {

class ImageReconciler final : public Reconciler {
  public:
    static constexpr std::string_view finalizer = "sheaf.io/image";
    static constexpr std::chrono::seconds between_reports{2};

    ImageReconciler(io::Loop& loop, ObjectClient& client, EventRecorder& events, PoolService& pool)
        : loop_(loop), client_(client), events_(events), pool_(pool) {}

    const api::Kind& kind() const override;
    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override;

  private:
    io::Task<DiskFacts> provide(Json& object);
    io::Task<void> import(Json& object);
    io::Task<void> import_and_end(const Json& object, ImportProgress& progress,
                                  io::TaskGroup& group);
    io::Task<void> report(Json& object, ImportProgress& progress, io::TaskGroup& group);
    io::Task<void> end(Json object);

    io::Loop& loop_;
    ObjectClient& client_;
    EventRecorder& events_;
    PoolService& pool_;
};

// "fetching 12 MiB", "copying 40 %".
std::string text_of(const ImportProgress::Now& now);

}  // namespace sheaf::control
