#pragma once

// Why: a Node is this host as others see it: what it has, and whether machines can run on it
// (docs/controllers.md, Node).

#include <functional>

#include "control/host_facts.h"
#include "control/outcome.h"
#include "control/reconciler.h"

namespace sheaf::control {

class NodeReconciler final : public Reconciler {
  public:
    // The host is looked at so often, and written about where something changed; and else so
    // rarely that it costs nothing.
    static constexpr std::chrono::seconds between_looks{60};
    static constexpr std::chrono::minutes between_heartbeats{5};
    // Pressure begins below this share of what there is, and ends above twice as much.
    static constexpr unsigned pressure_percent = 5;

    using Look = std::function<HostFacts()>;
    NodeReconciler(io::Loop& loop, ObjectClient& client, EventRecorder& events, Look look)
        : loop_(loop),
          client_(client),
          events_(events),
          look_(std::move(look)),
          name_(look_().name) {}

    const api::Kind& kind() const override;
    std::vector<ObjectKey> always() const override;
    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override;

  private:
    io::Task<void> tell(Json object);

    io::Loop& loop_;
    ObjectClient& client_;
    EventRecorder& events_;
    Look look_;
    std::string name_;
    std::optional<io::TimePoint> told_;  // when the last heartbeat was written
};

}  // namespace sheaf::control
