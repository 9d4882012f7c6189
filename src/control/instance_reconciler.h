#pragma once

// Why: a VirtualMachineInstance is a machine that runs, from its creation to its end. Its keeper is
// started once; how it goes is told in its status; once it is deleted nothing of it is left.

#include "control/machine_plan.h"
#include "control/outcome.h"

namespace sheaf::control {

// Loop thread. Whatever is passed outlives it.
class InstanceReconciler final : public Reconciler {
  public:
    static constexpr std::string_view finalizer = "sheaf.io/machine";
    // For a guest to shut down, where the instance says nothing.
    static constexpr std::chrono::seconds default_grace{120};

    struct Surroundings {
        ObjectClient& client;
        EventRecorder& events;
        node::MachineHost& host;
        LinkService& links;
        MachinePlaces places;
        std::string node;  // its name
    };
    explicit InstanceReconciler(Surroundings around)
        : around_(std::move(around)),
          planner_(around_.client, around_.host, dependents_, around_.places) {}

    const api::Kind& kind() const override;
    std::span<const api::Kind* const> watched() const override;
    io::Task<std::vector<ObjectKey>> affected(const api::Kind& kind, ObjectKey changed,
                                              const Json* now) override;
    io::Task<LookAgain> reconcile(ObjectKey key, std::optional<Json> object) override;

  private:
    io::Task<void> end_strangers(ObjectKey key, std::string uid);
    io::Task<void> run(Json object);
    io::Task<void> start(Json& object);
    io::Task<void> tell(Json& object, const node::SupervisedMachine& machine);
    io::Task<void> tell(Json& object, Outcome outcome, bool paused);
    io::Task<void> end(Json object);
    // Whether nothing is left of it; otherwise its end is under way.
    io::Task<bool> end_machine(std::string uid, std::chrono::seconds grace, std::size_t taps);
    io::Task<void> remove_taps(std::string uid, std::size_t count);
    io::Task<void> launch(MachinePlanner::Planned planned);

    Surroundings around_;
    Dependents dependents_;
    MachinePlanner planner_;
};

// Of a machine as its keeper, or its report, has it.
Outcome outcome_of_machine(const node::SupervisedMachine& machine);

}  // namespace sheaf::control
