#pragma once

// Why: a Network is a bridge of the host, one that is there or one that Sheaf makes; machines'
// taps are put into it (docs/controllers.md, Network).

#include "control/link_service.h"
#include "control/outcome.h"
#include "control/reconciler.h"

namespace sheaf::control {

class NetworkReconciler final : public Reconciler {
  public:
    static constexpr std::string_view finalizer = "sheaf.io/network";
    // A bridge that is not there, or is in use, is looked for so often.
    static constexpr std::chrono::seconds between_looks{30};

    NetworkReconciler(ObjectClient& client, EventRecorder& events, LinkService& links)
        : client_(client), events_(events), links_(links) {}

    const api::Kind& kind() const override;
    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override;

  private:
    io::Task<Outcome> provide(const Json& object);
    io::Task<LookAgain> end(Json object);

    ObjectClient& client_;
    EventRecorder& events_;
    LinkService& links_;
};

// Makes the Network "default" with a bridge of its own, the first of sheaf0, sheaf1, ... that is
// not there, once in the life of a store: one that was deleted stays deleted.
io::Task<void> ensure_default_network(ObjectClient& client, LinkService& links);

}  // namespace sheaf::control
