#pragma once

// Why: all controllers of a process see the store by one list and one watch of it, however many
// kinds they look at.

#include <list>

#include "control/controller.h"

namespace sheaf::control {

// Loop thread only. Whatever is passed outlives it.
class ControllerManager {
  public:
    static constexpr std::chrono::minutes resync{10};

    ControllerManager(io::Loop& loop, ObjectClient& client, const Logger& logger)
        : loop_(loop), client_(client), logger_(logger) {}

    // Before run(). The reconciler outlives the manager.
    void add(Reconciler& reconciler, WorkQueue::Random random, ControllerLimits limits = {});
    // Every controller, until stop() or until it is cancelled.
    io::Task<void> run();
    // Something that is no object has changed, and matters to this object of the reconciler.
    void look_again(const Reconciler& reconciler, const ObjectKey& key);
    // Nothing begins any more; run() ends once what is under way has.
    void stop();

  private:
    io::Task<void> follow();
    io::Task<void> follow_from_now();
    io::Task<void> add_all();
    io::Task<void> tell(kv::Change change);
    io::Task<void> tell(Controller& controller, const KindAndKey& changed, const Json* now);

    io::Loop& loop_;
    ObjectClient& client_;
    const Logger& logger_;
    std::list<Controller> controllers_;
    io::TaskGroup following_;
    bool stopping_ = false;
};

}  // namespace sheaf::control
