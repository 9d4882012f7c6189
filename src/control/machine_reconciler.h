#pragma once

// Why: a VirtualMachine says when its machine is to run; each start is an instance of its own,
// which is made, replaced and deleted here (docs/controllers.md, VirtualMachine).

#include "control/machine_volumes.h"
#include "control/outcome.h"
#include "control/start_order.h"
#include "node/machine_host.h"

namespace sheaf::control {

// Loop thread. Whatever is passed outlives it.
class MachineReconciler final : public Reconciler {
  public:
    static constexpr std::string_view finalizer = "sheaf.io/machine";
    // Before the second start in a row after a short life; twice as long before each further one.
    static constexpr std::chrono::seconds first_pause{1};
    static constexpr std::chrono::seconds longest_pause{300};
    // Between looks at whether others have started that go first.
    static constexpr std::chrono::seconds turn_interval{5};
    // Who has run for so long begins anew.
    static constexpr std::chrono::seconds long_life{300};

    MachineReconciler(ObjectClient& client, EventRecorder& events, const node::MachineHost& host)
        : client_(client), events_(events), host_(host), volumes_(client, events, dependents_) {}

    const api::Kind& kind() const override;
    std::span<const api::Kind* const> watched() const override;
    io::Task<std::vector<ObjectKey>> affected(const api::Kind& kind, ObjectKey changed,
                                              const Json* now) override;
    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override;

  private:
    io::Task<void> expect_all();
    io::Task<LookAgain> run(Json object);
    io::Task<void> end(Json object);
    io::Task<void> release(Json object);
    io::Task<void> let_go(Json object);
    io::Task<LookAgain> start(Json& object, Json& status);
    bool is_about_to_start(const Json& object, const Json& status,
                           const std::optional<Json>& instance) const;
    io::Task<void> stop(Json& object, Json& status, const Json& instance);
    io::Task<Json> make_instance(const Json& object);
    io::Task<void> tell(Json object, Json status, const std::optional<Json>& instance,
                        std::string waits_for = {});

    ObjectClient& client_;
    EventRecorder& events_;
    const node::MachineHost& host_;
    Dependents dependents_;
    MachineVolumes volumes_;
    StartOrder order_;
    bool expects_all_ = false;
};

// What is to be done about a machine's instance.
enum class MachineStep : std::uint8_t { none, start, stop };
// `instance`: none where there is none. Requests of clients (status.stateChangeRequests) that are
// fulfilled are taken out of the status.
MachineStep next_step(const Json& machine, Json& status, const std::optional<Json>& instance);
// In the words of KubeVirt's printableStatus.
std::string_view printable_status(const Json& machine, const Json& status,
                                  const std::optional<Json>& instance);

}  // namespace sheaf::control
